from . import (
    chase,
    note,
    note_request,
    policy,
    sms,
)

from . import (
    chase,
    note,
    note_request,
    policy,
    sms,
)
from . import chase
from . import note
from . import policy
from . import note_request
from . import sms

from . import (
    test_access,
    test_cockpit,
    test_guard,
    test_note,
    test_note_request,
    test_note_security,
    test_note_visit,
    test_payment_link,
    test_plan,
    test_reminders,
    test_setup,
)

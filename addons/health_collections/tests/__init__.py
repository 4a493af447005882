from . import (
    test_access,
    test_agency,
    test_cockpit,
    test_guard,
    test_handover,
    test_note,
    test_payment_link,
    test_policy,
    test_plan,
    test_reminders,
    test_setup,
)

from . import (
    test_access,
    test_cockpit,
    test_guard,
    test_letters,
    test_note,
    test_payment_link,
    test_reminders,
    test_setup,
)

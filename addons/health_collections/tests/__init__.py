from . import (
    test_access,
    test_cockpit,
    test_guard,
    test_guard_cases,
    test_held_year,
    test_interest,
    test_note,
    test_payment_link,
    test_plan,
    test_prescription,
    test_reminders,
    test_setup,
)

from . import payment_receipt
from . import reminder_letter
from . import handover_account

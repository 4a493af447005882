from . import payment_receipt
from . import reminder_letter

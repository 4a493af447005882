from . import receipt_letter
from . import reminder_letter
from . import handover_account

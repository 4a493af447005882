from . import reminder_letter

from . import note, policy
from . import note_request
from . import sms

from . import note, policy
from . import note, note_request
from . import sms
from . import note_request

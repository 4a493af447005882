from . import chase
from . import note
from . import policy
from . import note_request
from . import sms

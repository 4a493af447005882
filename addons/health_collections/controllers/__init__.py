from . import chase
from . import note
from . import note, policy
from . import note_request

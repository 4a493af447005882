from . import note, policy
from . import note, note_request

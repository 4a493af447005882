from . import chase
from . import note
from . import note, policy

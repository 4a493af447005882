from . import chase
from . import note
from . import policy

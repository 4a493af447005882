from . import chase
from . import note

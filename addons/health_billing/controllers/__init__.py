from . import home
from . import quote
from . import portal

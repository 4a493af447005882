from . import home
from . import quote

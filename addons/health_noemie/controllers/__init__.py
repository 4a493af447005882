from . import indu

from . import note, policy

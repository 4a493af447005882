from . import note, note_request

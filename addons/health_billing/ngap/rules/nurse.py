"""Rules of nurses."""

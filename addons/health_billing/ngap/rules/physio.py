"""Rules of physiotherapists."""

"""Rules of speech therapists."""

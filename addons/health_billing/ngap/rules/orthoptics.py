"""Rules of orthoptists."""

from . import health_rejection_close

from . import health_practitioner_setup

from . import health_finding_pass
from . import health_practitioner_setup

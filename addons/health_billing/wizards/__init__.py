from . import health_finding_pass
from . import health_practitioner_setup
from . import health_rights_override
from . import health_rights_proof_batch
from . import health_question_ask
from . import health_share_dispute
from . import health_share_write_off

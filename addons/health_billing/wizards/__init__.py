from . import health_practitioner_setup
from . import health_question_ask

from . import health_payment_link_wizard
from . import health_plan_end
from . import health_plan_make
from . import health_plan_make_line
from . import health_patient_payment
from . import health_patient_payment_line
from . import health_receipt_undo

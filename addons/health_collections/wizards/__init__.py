from . import health_payment_link_wizard
from . import health_plan_end
from . import health_plan_make
from . import health_plan_make_line
from . import health_handover_decide
from . import health_handover_propose

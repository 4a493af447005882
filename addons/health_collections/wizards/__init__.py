from . import health_payment_link_wizard
from . import health_plan_end
from . import health_plan_make
from . import health_plan_make_line

from . import health_chase_contact
from . import health_chase_contact_line
from . import health_payment_link_wizard

from . import health_payment_link_wizard

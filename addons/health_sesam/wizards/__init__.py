from . import health_arl_record
from . import health_lot_send

from . import health_lot
from . import health_arl
from . import health_fse
from . import health_inbox
from . import health_cycle
from . import health_cockpit
from . import health_question
from . import health_share

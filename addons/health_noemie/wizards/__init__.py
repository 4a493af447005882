from . import health_rejection_close
from . import health_reject_classify
from . import health_rejection_fix
from . import health_rejection_fix_line

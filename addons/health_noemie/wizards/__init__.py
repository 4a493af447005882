from . import health_indu_close
from . import health_indu_letter_write
from . import health_indu_paste
from . import health_indu_repay
from . import health_rejection_close

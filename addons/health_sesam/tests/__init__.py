from . import test_access
from . import test_arl
from . import test_b2_inbox
from . import test_cockpit
from . import test_lot
from . import test_translation
from . import test_working_days
from . import test_question

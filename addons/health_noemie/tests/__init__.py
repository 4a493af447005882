from . import test_access
from . import test_booking
from . import test_camt
from . import test_cockpit
from . import test_noemie
from . import test_queries
from . import test_rejection
from . import test_undo

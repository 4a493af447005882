from . import test_access
from . import test_cockpit
from . import test_fse_import
from . import test_inbox
from . import test_portal_practitioner
from . import test_practitioner
from . import test_question
from . import test_share

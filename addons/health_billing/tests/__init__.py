from . import test_access
from . import test_cockpit
from . import test_fse_import
from . import test_import_mapping
from . import test_inbox
from . import test_practitioner
from . import test_round
from . import test_share

"""Tests without Odoo: the pure packages go by their own names (norms, matching, ngap …)."""

import os
import sys
from pathlib import Path

from hypothesis import settings

ROOT = Path(__file__).parents[2]
for addon in ("health_billing", "health_sesam", "health_noemie", "health_collections"):
    sys.path.insert(0, str(ROOT / "addons" / addon))

# no deadlines: how long one example takes depends on what else the machine does
settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

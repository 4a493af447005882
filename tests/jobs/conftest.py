"""Pure packages by their own names, as in tests/unit."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "addons" / "health_sesam"))

from . import test_chromium

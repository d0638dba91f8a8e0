"""Settings that all tests share."""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("antiphon", deadline=None)  # a busy machine is no failure
settings.load_profile("antiphon")

# Where the suite runs in the background of a shell, Ctrl-C is ignored, and so would be the children's.
signal.signal(signal.SIGINT, signal.default_int_handler)

"""A client written from docs/PROTOCOL.md alone, against the vectors of §14 and against the real command.

Run it with `make interop`; names of classes or tests as arguments run those alone. It stays on this machine, and every
wait in it ends by itself. ROAMKEY names another command than .build/debug/roamkey.
"""

import os
import signal
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from interop_conversation import *  # noqa: E402, F403
from interop_discovery import *  # noqa: E402, F403
from interop_endings import *  # noqa: E402, F403
from interop_evidence import *  # noqa: E402, F403
from interop_ids import *  # noqa: E402, F403
from interop_joining import *  # noqa: E402, F403
from interop_modes import *  # noqa: E402, F403
from interop_paths import *  # noqa: E402, F403
from interop_resets import *  # noqa: E402, F403
from interop_support import COMMAND  # noqa: E402
from interop_vectors import *  # noqa: E402, F403

LONGEST_RUN = 600  # seconds after which the whole run is given up

if __name__ == "__main__":
    if not os.access(COMMAND, os.X_OK):
        sys.exit(f"There is no {COMMAND}: run `swift build --product roamkey`, or `make interop`.")
    signal.alarm(LONGEST_RUN)
    unittest.main(verbosity=2)

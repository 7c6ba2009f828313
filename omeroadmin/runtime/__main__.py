"""One server process of the reference runtime: ``python -m omeroadmin.runtime Blitz -Xmx512m --Ice.Config=FILE``."""

from __future__ import annotations

import sys

from omeroadmin.runtime.kernel.launcher import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

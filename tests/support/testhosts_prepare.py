"""Makes what test hosts need, as root and with network; nothing to do where it is there.

Usage: python -m tests.support.testhosts_prepare
"""

from __future__ import annotations

import os
import sys

from tests.support.testhosts_debian import BASE, OFFERED_PACKAGES, OLD_PYTHON
from tests.support.testhosts_parts import CannotMake
from tests.support.testhosts_wheels import OFFERED_WHEELS

PARTS = (BASE, OFFERED_PACKAGES, OLD_PYTHON, OFFERED_WHEELS)


def main() -> int:
    """Make all parts that are missing.

    :return: 1 where one can't be made, with the reason on the screen
    """
    if os.geteuid() != 0:
        print("Test hosts need root: nothing is made")
        return 1
    status = 0
    for part in PARTS:
        was_made = part.is_made
        try:
            seconds = part.ensure()
        except CannotMake as problem:
            print(f"Test hosts: {part.name} can't be made: {problem}", flush=True)
            status = 1
            continue
        if part.is_made and not was_made:
            print(f"Test hosts: {part.path} made in {seconds:.0f} s", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())

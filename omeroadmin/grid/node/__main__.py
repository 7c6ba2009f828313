"""Starts the node's daemon: ``python -m omeroadmin.grid.node --omerodir DIR --registry HOST PORT``.

It returns when the daemon takes commands; a refusal is a JSON document on stdout.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import MASTER
from omeroadmin.grid.node.control import failure
from omeroadmin.grid.node.daemon import Orders, run_detached
from omeroadmin.schema.instance import Instance


def main() -> int:
    """Start the daemon.

    :return: exit status
    """
    parser = argparse.ArgumentParser(prog="python -m omeroadmin.grid.node", allow_abbrev=False)
    parser.add_argument("--omerodir", required=True, type=Path)
    parser.add_argument("--node", default=MASTER)
    parser.add_argument("--registry", required=True, nargs=2, metavar=("HOST", "PORT"))
    parser.add_argument("--file", required=True, type=Path)
    parser.add_argument("--target", action="append", default=[])
    words = parser.parse_args()
    host, port = words.registry
    layout = NodeLayout(Instance(words.omerodir), words.node)
    try:
        run_detached(Orders(layout, (host, int(port)), words.file, tuple(words.target)))
    except AdminError as error:
        sys.stdout.write(json.dumps(failure(error)) + "\n")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())

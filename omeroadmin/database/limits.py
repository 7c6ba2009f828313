"""How many connections the instance's own PostgreSQL accepts; cheap to ask, whether or not it runs."""

from __future__ import annotations

import re

from omeroadmin.schema.instance import Instance

MAX_CONNECTIONS = 100
"""What the toolkit sets."""
_OWN_WORD = re.compile(r"(?m)^\s*max_connections\s*=\s*'?(\d{1,9})")


def max_connections(instance: Instance) -> int:
    """What the toolkit sets, or what an admin has set with ``ALTER SYSTEM``."""
    file = instance.embedded_database / "data" / "postgresql.auto.conf"
    try:
        found = _OWN_WORD.findall(file.read_text("utf-8", "replace"))
    except OSError:
        return MAX_CONNECTIONS
    return int(found[-1]) if found else MAX_CONNECTIONS

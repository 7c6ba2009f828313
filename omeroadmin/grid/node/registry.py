"""Which servers an admin disabled; survives the node."""

from __future__ import annotations

import json
from pathlib import Path

from omeroadmin.errors import configuration_error
from omeroadmin.system import files


class Registry:
    """The file ``var/registry/disabled.json``.

    :raises AdminError: ``registry-invalid``, ``file-not-read``
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._disabled = _read(file)

    def is_disabled(self, server: str) -> bool:
        """Whether an admin disabled this server."""
        return server in self._disabled

    def set_disabled(self, server: str, *, disabled: bool) -> None:
        """Record an admin's wish.

        :raises AdminError: ``file-not-written``
        """
        wanted = self._disabled | {server} if disabled else self._disabled - {server}
        if wanted == self._disabled:
            return
        files.write_atomically(self._file, json.dumps({"disabled": sorted(wanted)}) + "\n", mode=files.SECRET_MODE)
        self._disabled = wanted


def _read(file: Path) -> frozenset[str]:
    if not file.exists():
        return frozenset()
    try:
        document = json.loads(files.read_text(file))
        return frozenset(str(name) for name in document["disabled"])
    except (ValueError, TypeError, KeyError) as error:
        raise configuration_error(
            "registry-invalid",
            f"{file} does not say which servers are disabled: {error}",
            f"remove it; all servers are enabled then: rm {file}",
        ) from error

"""ZeroC's programs: whether they are installed, and which version of Ice they are of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.system import process

NODE = "icegridnode"
ADMIN = "icegridadmin"
SUPPORTED = ((3, 6), (3, 7))
"""Major and minor versions of Ice whose IceGrid can run the servers."""

_PACKAGES = "zeroc-icegrid zeroc-ice-utils"
"""Debian's; icegridadmin is in the second, which the first only recommends."""
_TIMEOUT = 10.0
_VERSION = re.compile(r"^(\d+)\.(\d+)[.\w]*$", re.MULTILINE)
_LMDB_SINCE = (3, 7)


@dataclass(frozen=True)
class IceProgram:
    """A program of Ice.

    :param name: ``icegridnode`` or ``icegridadmin``
    :param version: as the program says, e.g. ``3.7.8``
    """

    name: str
    path: Path
    version: str

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version; patches of one release work together."""
        major, minor = self.version.split(".")[:2]
        return int(major), int(minor)


def require_program(name: str) -> Path:
    """Where a program of IceGrid is.

    :raises AdminError: ``icegrid-missing``
    """
    found = process.find_program(name)
    if found is None:
        raise configuration_error(
            "icegrid-missing",
            f"{name} is not installed, and omero.grid.driver is icegrid",
            f"apt-get install {_PACKAGES}, or: omero config set omero.grid.driver embedded",
        )
    return found


def ice_versions() -> tuple[IceProgram, IceProgram]:
    """``icegridnode`` and ``icegridadmin`` as PATH gives them.

    :raises AdminError: ``icegrid-missing``, ``icegrid-version``, ``program-timeout``
    """
    return _program(NODE), _program(ADMIN)


def check_versions() -> tuple[IceProgram, IceProgram]:
    """The programs, if they can run our servers.

    :raises AdminError: as :func:`ice_versions`
    """
    programs = ice_versions()
    node, admin = programs
    if node.release not in SUPPORTED:
        known = ", ".join(f"{major}.{minor}" for major, minor in SUPPORTED)
        raise _version_error(f"{node.name} is of version {node.version}, which is none of {known}")
    if node.release != admin.release:
        raise _version_error(f"{node.name} is of version {node.version}, {admin.name} of {admin.version}")
    return programs


def registry_data_property(node: IceProgram) -> str:
    """The property of the registry's directory, which has another name in each release."""
    return "IceGrid.Registry.LMDB.Path" if node.release >= _LMDB_SINCE else "IceGrid.Registry.Data"


def _program(name: str) -> IceProgram:
    path = require_program(name)
    done = process.run([path, "--version"], timeout=_TIMEOUT, merge=True)
    match = _VERSION.search(done.output)
    if match is None or not done.succeeded:
        raise _version_error(f"{path} does not say its version: {done.last_words()}")
    return IceProgram(name, path, match.group())


def _version_error(problem: str) -> AdminError:
    return configuration_error("icegrid-version", problem, f"install one release of Ice: apt-get install {_PACKAGES}")

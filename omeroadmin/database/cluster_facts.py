"""What a dump of a database doesn't hold: the roles and the settings of the PostgreSQL that it came from."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.programs import Programs
from omeroadmin.errors import AdminWarning, failed_error
from omeroadmin.system import files, process

if TYPE_CHECKING:
    from psycopg import Connection

ROLES_NAME = "roles.sql"
SETTINGS_NAME = "settings.json"

_TIMEOUT = 300.0

_DATABASE = """
SELECT pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype,
       pg_get_userbyid(datdba) AS owner
  FROM pg_database WHERE datname = current_database()
"""
_EXTENSIONS = "SELECT extname, extversion FROM pg_extension ORDER BY extname"
# What somebody has set: in postgresql.conf, with ALTER SYSTEM, on the command line.
_SETTINGS = """
SELECT name, current_setting(name) FROM pg_settings
 WHERE source NOT IN ('default', 'override', 'client', 'session', 'database user', 'database', 'user')
 ORDER BY name
"""
# With ALTER DATABASE and ALTER ROLE.
_OWN_SETTINGS = """
SELECT coalesce(database.datname, ''), coalesce(role.rolname, ''), setting.setconfig
  FROM pg_db_role_setting setting
  LEFT JOIN pg_database database ON database.oid = setting.setdatabase
  LEFT JOIN pg_roles role ON role.oid = setting.setrole
 WHERE setting.setdatabase = 0 OR database.datname = current_database()
 ORDER BY 1, 2
"""


@contextlib.contextmanager
def saving_cluster(
    connection: Connection[Any], address: DatabaseAddress, programs: Programs, directory: Path
) -> Iterator[Callable[[], None]]:
    """Write ``settings.json`` and, while the block goes on, ``roles.sql``, mode 0600.

    The roles come without their passwords: that of the server is in its configuration, others are nobody's business.
    The block must call what it is given, which waits until the roles are written, and raises ``roles-not-saved`` or
    ``program-timeout``.

    :param connection: to the database, as any role
    :param directory: is made, mode 0700
    :raises AdminError: ``program-missing``, ``file-not-written``, ``directory-not-created``
    """
    files.make_directory(directory, mode=0o700)
    document = json.dumps(cluster_settings(connection), indent=1, ensure_ascii=False)
    files.write_atomically(directory / SETTINGS_NAME, document + "\n", mode=files.SECRET_MODE)
    arguments: list[str | Path] = [
        programs.path("pg_dumpall"),
        "--globals-only",
        "--no-role-passwords",
        "--no-password",
        # Or it would want the databases postgres or template1, which the role may not enter.
        f"--database={address.name}",
    ]
    with (
        address.environment() as environment,
        process.running(arguments, timeout=_TIMEOUT, environment={**environment, "LC_ALL": "C"}) as program,
    ):

        def finish() -> None:
            done = program.finish()
            if not done.succeeded:
                raise failed_error(
                    "roles-not-saved",
                    f"pg_dumpall could not save the roles of {address.host}:{address.port}: {done.last_words()}",
                    f"see what the role may: psql -c '\\du {address.user}'",
                )
            files.write_atomically(directory / ROLES_NAME, done.output, mode=files.SECRET_MODE)

        yield finish


def cluster_settings(connection: Connection[Any]) -> dict[str, Any]:
    """Encoding, collation and owner of the database, its extensions, and what was set otherwise than by default."""
    encoding, collate, ctype, owner = connection.execute(_DATABASE).fetchone() or ("", "", "", "")
    own = [
        {"database": database, "role": role, "settings": list(settings)}
        for database, role, settings in connection.execute(_OWN_SETTINGS)
    ]
    return {
        "encoding": encoding,
        "collate": collate,
        "ctype": ctype,
        "owner": owner,
        "extensions": dict(connection.execute(_EXTENSIONS).fetchall()),
        "settings": dict(connection.execute(_SETTINGS).fetchall()),
        "own_settings": own,
    }


def apply_own_settings(
    address: DatabaseAddress, session: DatabaseAddress, directory: Path, *, database: str, role: str
) -> None:
    """Set for a restored database what ``ALTER DATABASE`` and ``ALTER ROLE`` had set for the original.

    What the session's role may not set is warned of. Settings of a whole cluster are left alone: they belong to its
    machine.

    :param address: of the restored database, with the server's role
    :param session: who sets it: the superuser where there is one at hand
    :param directory: with ``settings.json``; of an older snapshot it may be missing
    :param database: name of the original
    :param role: that the server logged in as
    :raises AdminError: ``file-not-read``, and as :func:`omeroadmin.database.connection.connect`
    """
    path = directory / SETTINGS_NAME
    if not path.is_file():
        return
    wanted = [
        (item["role"], *setting.split("=", 1))
        for item in json.loads(files.read_bytes(path))["own_settings"]
        for setting in item["settings"]
        if item["database"] in ("", database) and item["role"] in ("", role)
    ]
    if not wanted:
        return
    import psycopg

    with connect(session, autocommit=True) as connection:
        for of_role, name, value in wanted:
            try:
                _set(connection, address, name, value, of_role=bool(of_role))
            except psycopg.Error as error:
                reason = str(error).splitlines()[0]
                message = f"{name} = {value}, which the original database had, is not set: {reason}"
                warnings.warn(message, AdminWarning, stacklevel=2)


def _set(connection: Connection[Any], address: DatabaseAddress, name: str, value: str, *, of_role: bool) -> None:
    from psycopg import sql

    # By way of the session: lists such as search_path can't be written as one literal.
    connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    form = "ALTER ROLE {role} IN DATABASE {database} SET {name} FROM CURRENT"
    if not of_role:
        form = "ALTER DATABASE {database} SET {name} FROM CURRENT"
    statement = sql.SQL(form).format(
        role=sql.Identifier(address.user), database=sql.Identifier(address.name), name=sql.Identifier(*name.split("."))
    )
    connection.execute(statement)

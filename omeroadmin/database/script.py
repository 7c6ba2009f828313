"""The SQL that makes an OMERO database: four files of a schema directory, filled in and put together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.database.passwords import omero_hash, unsalted_omero_hash
from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.resources import templates_directory
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files
from omeroadmin.system.clock import utc_stamp

ROOT_USER_ID = 0
"""``experimenter.id`` of user root."""

_PARTS = ("psql-header.sql", "schema.sql", "views.sql", "psql-footer.sql")
_FORMATTED = frozenset({"psql-header.sql", "psql-footer.sql"})
_VERSION = re.compile(r"[A-Za-z0-9._-]+")
_HASH = re.compile(r"[A-Za-z0-9+/=$,._-]*")


@dataclass(frozen=True)
class SchemaVersion:
    """Version and patch of a database schema, e.g. OMERO5.4 and 0.

    :param version: ``omero.db.version``
    :param patch: ``omero.db.patch``
    """

    version: str
    patch: int

    def __str__(self) -> str:
        return f"{self.version}__{self.patch}"

    @classmethod
    def from_settings(cls, settings: Settings) -> SchemaVersion:
        """The version that the server is configured for.

        :raises AdminError: ``setting-invalid``
        """
        version = settings.text("omero.db.version").strip()
        if not _VERSION.fullmatch(version):
            raise configuration_error(
                "setting-invalid",
                f"omero.db.version is {version!r}, which is not a schema version",
                "omero config set omero.db.version OMERO5.4",
            )
        return cls(version, settings.number("omero.db.patch"))


def schema_directory(instance: Instance | None, version: SchemaVersion) -> Path:
    """Directory of a schema's SQL files: the distribution's own where there is one, else this toolkit's.

    :param instance: ``None``: the toolkit's own
    :raises AdminError: ``schema-unknown``
    """
    places = [templates_directory() / "sql" / str(version)]
    if instance is not None:
        places.insert(0, instance.omerodir / "sql" / "psql" / str(version))
    for place in places:
        if all((place / part).is_file() for part in _PARTS):
            return place
    raise _unknown_schema(version, places[0])


def _unknown_schema(version: SchemaVersion, place: Path) -> AdminError:
    known = sorted(entry.name for entry in place.parent.glob("*__*") if entry.is_dir())
    return configuration_error(
        "schema-unknown",
        f"there is no SQL for the database version {version}: {place} is missing",
        f"known is {', '.join(known)}" if known else "check omero.db.version: omero config get omero.db.version",
    )


def database_script(
    root_password_hash: str, *, version: SchemaVersion, directory: Path, script: str = "omero db script"
) -> str:
    """The whole script: one transaction for an empty database.

    :param root_password_hash: for user root; see :mod:`omeroadmin.database.passwords`
    :param version: recorded in ``dbpatch``
    :param directory: of :func:`schema_directory`
    :param script: name that the script's first lines give
    :raises AdminError: ``password-hash-invalid``, ``schema-invalid``, ``file-not-read``
    """
    if not _HASH.fullmatch(root_password_hash):
        raise failed_error("password-hash-invalid", "the hash of the root password has characters that no hash has")
    values = {"TIME": utc_stamp(), "DIR": _one_line(str(directory)), "SCRIPT": _one_line(script)}
    parts = [_part(directory / name, values if name in _FORMATTED else None) for name in _PARTS]
    for name, value in (
        ("@ROOTPASS@", root_password_hash),
        ("@DBVERSION@", version.version),
        ("@DBPATCH@", str(version.patch)),
    ):
        parts[-1] = parts[-1].replace(name, value)
    return "\n".join(parts)


def _part(path: Path, values: dict[str, str] | None) -> str:
    text = files.read_text(path)
    if values is None:
        return text
    try:
        return text % values
    except (KeyError, TypeError, ValueError) as error:
        raise configuration_error(
            "schema-invalid", f"{path} can't be filled in: {error}", "a per cent sign in it is written twice: %%"
        ) from error


def _one_line(text: str) -> str:
    return " ".join(text.split())


def root_hash(password: str, *, salt: bool = True, user_id: int = ROOT_USER_ID) -> str:
    """OMERO's hash of a password, which every OMERO server accepts.

    :param salt: whether the user's id goes in
    :raises AdminError: ``password-empty``
    """
    if not password:
        raise configuration_error("password-empty", "the password is empty", "give one with --password-file FILE")
    return omero_hash(user_id, password) if salt else unsalted_omero_hash(password)


def password_statement(password: str, *, salt: bool = True, user_id: int = ROOT_USER_ID) -> str:
    """The SQL statement that sets a user's password.

    :raises AdminError: ``password-empty``
    """
    hashed = root_hash(password, salt=salt, user_id=user_id)
    return f"UPDATE password SET hash = '{hashed}' WHERE experimenter_id = {user_id};"  # noqa: S608 - base64 and a number

"""Where the binary repository keeps what: id paths, data directories and the markers of a repository's root."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import configuration_error, failed_error, locked_error
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.kinds import MakeDirectory, WriteFile
from omeroadmin.steps.plan import Plan
from omeroadmin.system import clock, files
from omeroadmin.system.host import Host

_GROUP = 1000
_LONGEST_JAVA_TEXT = 65535

_OPEN_MODE = 0o750
_PRIVATE_MODE = 0o700


def id_path(object_id: int) -> Path:
    """Relative path of an object's file: groups of three digits from the right, as the server makes them.

    :param object_id: database id, 0 or more
    :raises AdminError: ``id-invalid``
    """
    if object_id < 0:
        raise failed_error("id-invalid", f"{object_id} is not the id of a stored object")
    groups: list[str] = []
    rest = object_id
    while rest >= _GROUP:
        rest //= _GROUP
        groups.insert(0, f"Dir-{rest % _GROUP:03d}")
    return Path(*groups, str(object_id))


def pixels_path(data_directory: Path, pixels_id: int) -> Path:
    """Raw planes of a pixels object without a fileset."""
    return data_directory / "Pixels" / id_path(pixels_id)


def original_file_path(data_directory: Path, file_id: int) -> Path:
    """Content of an original file outside the managed repository."""
    return data_directory / "Files" / id_path(file_id)


def thumbnail_path(data_directory: Path, thumbnail_id: int) -> Path:
    """Stored JPEG of a thumbnail."""
    return data_directory / "Thumbnails" / id_path(thumbnail_id)


def pyramid_path(data_directory: Path, pixels_id: int) -> Path:
    """Tiled pyramid of a pixels object."""
    plain = pixels_path(data_directory, pixels_id)
    return plain.with_name(f"{plain.name}_pyramid")


def pyramid_lock_path(pyramid: Path) -> Path:
    """Lock that is held while a pyramid is written."""
    return pyramid.with_name(f".{pyramid.name}.pyr_lock")


def data_directories(settings: Settings) -> dict[Path, int]:
    """Directories that a server needs and the modes that new ones get.

    :raises AdminError: ``setting-invalid``
    """
    data = settings.data_directory
    return {
        data: _OPEN_MODE,
        settings.managed_repository: _OPEN_MODE,
        data / "Pixels": _OPEN_MODE,
        data / "Thumbnails": _OPEN_MODE,
        data / "Files": _OPEN_MODE,
        data / "FullText": _PRIVATE_MODE,
        data / "DropBox": _OPEN_MODE,
        data / "BioFormatsCache": _OPEN_MODE,
        data / "certs": _PRIVATE_MODE,
        data / ".omero": _PRIVATE_MODE,
    }


@dataclass(frozen=True)
class DataFacts:
    """What there is of the data directories.

    :param present: directories that exist
    :param obstructed: paths that exist and are no directories
    """

    present: frozenset[Path]
    obstructed: frozenset[Path] = frozenset()


def inspect_data_directories(settings: Settings, host: Host) -> DataFacts:
    """Look which data directories exist.

    :raises AdminError: ``setting-invalid``, ``file-not-read``
    """
    present: set[Path] = set()
    obstructed: set[Path] = set()
    for path in data_directories(settings):
        facts = host.facts(path)
        if facts is not None:
            (present if facts.is_directory else obstructed).add(path)
    return DataFacts(frozenset(present), frozenset(obstructed))


def plan_data_directories(settings: Settings, facts: DataFacts) -> Plan:
    """Plan the directories that are missing; existing ones keep their modes, which may be a site's own.

    :raises AdminError: ``data-directory-obstructed``, ``setting-invalid``
    """
    wanted = data_directories(settings)
    for path in wanted:
        if path in facts.obstructed:
            raise configuration_error(
                "data-directory-obstructed",
                f"{path} should be a directory and is none",
                f"move it away: mv {path} {path}.old",
            )
    missing = [(path, mode) for path, mode in wanted.items() if path not in facts.present]
    return Plan(
        f"data directories in {settings.data_directory}",
        tuple(MakeDirectory(path, mode) for path, mode in missing),
    )


def plan_scripts(scripts_directory: Path, shipped: Path, host: Host) -> Plan:
    """Plan the copies of the sample scripts; what an admin changed in an instance stays.

    :param scripts_directory: ``lib/scripts`` of the instance
    :param shipped: directory ``scripts`` of the templates
    :raises AdminError: ``file-not-read``
    """
    target = scripts_directory / "omero"
    copies = [
        WriteFile(target / source.name, files.read_bytes(source), 0o644, "sample script")
        for source in sorted(shipped.glob("*.py"))
        if host.facts(target / source.name) is None
    ]
    if not copies:
        return Plan("sample scripts")
    folders = tuple(MakeDirectory(path, 0o755) for path in (scripts_directory, target) if host.facts(path) is None)
    return Plan("sample scripts", (*folders, *copies))


def marker_directory(root: Path, database_uuid: str) -> Path:
    """Directory of a repository's markers for one database.

    :raises AdminError: ``path-escapes``
    """
    return files.inside(root / ".omero" / "repository", database_uuid)


def encode_java_text(text: str) -> bytes:
    """Text as Java's ``writeUTF`` stores it: two bytes of length, then modified UTF-8.

    :raises AdminError: ``marker-invalid`` above 65535 bytes
    """
    units = text.encode("utf-16-be", "surrogatepass")
    body = b"".join(_java_bytes(units[at] << 8 | units[at + 1]) for at in range(0, len(units), 2))
    if len(body) > _LONGEST_JAVA_TEXT:
        raise failed_error("marker-invalid", f"a text of {len(body)} bytes is too long for a marker")
    return len(body).to_bytes(2, "big") + body


def _java_bytes(unit: int) -> bytes:
    """Each UTF-16 unit is encoded for itself and NUL takes two bytes: that is what is modified."""
    if unit == 0:
        return b"\xc0\x80"
    return chr(unit).encode("utf-8", "surrogatepass")


def decode_java_text(content: bytes) -> str:
    """Text of a ``writeUTF`` marker.

    :raises AdminError: ``marker-invalid``
    """
    length = int.from_bytes(content[:2], "big")
    body = content[2 : 2 + length]
    if len(content) < 2 or len(body) != length:
        raise failed_error("marker-invalid", f"a marker of {len(content)} bytes is cut off")
    try:
        text = body.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
        return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")
    except UnicodeDecodeError as error:
        raise failed_error("marker-invalid", f"a marker is not Java text: {error.reason}") from error


def has_markers(root: Path) -> bool:
    """Whether a directory is a repository of any database."""
    return next((root / ".omero" / "repository").glob("*/repo_uuid"), None) is not None


def read_repository_uuid(root: Path, database_uuid: str) -> str | None:
    """Which repository a root is for a database; ``None`` where it isn't one yet.

    :raises AdminError: ``marker-invalid``, ``file-not-read``, ``path-escapes``
    """
    marker = marker_directory(root, database_uuid) / "repo_uuid"
    return decode_java_text(files.read_bytes(marker)) if marker.exists() else None


def write_repository_uuid(root: Path, database_uuid: str, repository_uuid: str) -> None:
    """Mark a root as a repository of a database.

    :raises AdminError: ``directory-not-created``, ``file-not-written``, ``path-escapes``
    """
    directory = marker_directory(root, database_uuid)
    files.make_directory(directory, mode=_PRIVATE_MODE)
    files.write_atomically(directory / "repo_uuid", encode_java_text(repository_uuid), mode=0o644)


@contextlib.contextmanager
def repository_lock(root: Path, database_uuid: str) -> Iterator[Path]:
    """Hold a repository's ``.lock``, which is gone after a clean end.

    :raises AdminError: ``repository-locked`` if another server uses this root, ``directory-not-created``,
        ``file-not-written``
    """
    directory = marker_directory(root, database_uuid)
    files.make_directory(directory, mode=_PRIVATE_MODE)
    path = directory / ".lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise files.file_error("written", path, error) from error
    try:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise locked_error(
                "repository-locked", f"another server uses the repository {root}", f"see which: fuser {path}"
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, encode_java_text(clock.utc_stamp()), 0)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)

"""What every command starts from: the instance and the user's own directories."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.errors import AdminError, configuration_error, usage_error
from omeroadmin.schema.instance import Instance

if TYPE_CHECKING:
    from omeroadmin.schema.settings import Settings


def require_instance() -> Instance:
    """The instance that ``OMERODIR`` (or ``--omerodir``) names.

    :raises AdminError: ``omerodir-unset``, ``omerodir-missing``
    """
    text = os.environ.get("OMERODIR", "")
    if not text:
        raise configuration_error(
            "omerodir-unset",
            "OMERODIR is not set",
            "export OMERODIR=/path/to/OMERO.server, or make an instance: omero install --help",
        )
    path = Path(text)
    if not os.path.isdir(path):  # noqa: PTH112 - false as well where this user may not look
        raise configuration_error(
            "omerodir-missing",
            f"OMERODIR is {text}, which is not a directory",
            "export OMERODIR=/path/to/OMERO.server, or make an instance: omero install --help",
        )
    return Instance(path.resolve())


_sources: list[Path] = []


def choose_source(source: Path | None) -> None:
    """Let ``omero config`` work on another file than the instance's.

    :raises AdminError: ``source-missing``
    """
    _sources.clear()
    if source is None:
        return
    if not os.path.isfile(source):  # noqa: PTH113 - false as well where this user may not look
        raise configuration_error("source-missing", f"{source} is not a file", "--source names a config.xml")
    _sources.append(source)


def config_file() -> Path:
    """The config.xml to work on: that of ``--source``, else the instance's.

    :raises AdminError: ``omerodir-unset``, ``omerodir-missing``
    """
    return _sources[0] if _sources else require_instance().config_xml


def known_instance() -> Instance | None:
    """The instance that ``OMERODIR`` names; ``None`` where ``--source`` does without one.

    :raises AdminError: ``omerodir-unset``, ``omerodir-missing``
    """
    return None if _sources and not os.environ.get("OMERODIR") else require_instance()


def values_set() -> dict[str, str]:
    """Properties of the active profile; none where ``OMERODIR`` is unset.

    :raises AdminError: ``omerodir-missing``, ``config-unparsable``
    """
    if not _sources and not os.environ.get("OMERODIR"):
        return {}
    from omeroadmin.profiles.reader import read_profile

    return read_profile(config_file()).values


def instance_settings() -> Settings:
    """The properties in force of the instance that ``OMERODIR`` names.

    :raises AdminError: ``omerodir-unset``, ``omerodir-missing``, ``config-unparsable``
    """
    from omeroadmin.profiles.store import load_settings

    return load_settings(require_instance())


def present_settings() -> Settings | None:
    """The properties of the instance that ``OMERODIR`` names, for commands that need none; ``None``: there is none.

    :raises AdminError: ``config-unparsable``
    """
    try:
        return instance_settings()
    except AdminError as error:
        if error.code not in ("omerodir-unset", "omerodir-missing"):
            raise
        return None


def install_directory(chosen: Path | None) -> Path:
    """Where an instance is to be made: ``--dir``, else ``OMERODIR``; it need not exist.

    :raises AdminError: ``directory-needed``
    """
    text = str(chosen) if chosen is not None else os.environ.get("OMERODIR", "")
    if not text:
        raise usage_error("directory-needed", "no directory is named for the instance", "omero install --dir DIR")
    return Path(text).resolve()


def user_directory() -> Path:
    """``OMERO_USERDIR``, by default ``~/omero``: session store, temporary files, log of bugs."""
    text = os.environ.get("OMERO_USERDIR", "")
    return Path(text) if text else Path.home() / "omero"


def use_temporary_directory() -> None:
    """Let temporary files of this program, and of those it starts, be in ``OMERO_TMPDIR`` where it is set.

    :raises AdminError: ``directory-not-created``
    """
    text = os.environ.get("OMERO_TMPDIR", "")
    if not text:
        return
    if not os.path.isdir(text):  # noqa: PTH112 - false as well where this user may not look
        from omeroadmin.system.files import make_directory

        make_directory(Path(text), mode=0o700)
    os.environ["TMPDIR"] = text

"""The profiles of an instance: read without a lock, changed by one writer at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from omeroadmin.errors import AdminError, printable, usage_error
from omeroadmin.profiles.changes import Changes, PropertyChange, changes_between
from omeroadmin.profiles.reader import RESERVED, Profile, choose, read_content, read_profile, refuse_reserved
from omeroadmin.schema.instance import Instance

if TYPE_CHECKING:
    from omeroadmin.profiles.document import Document
    from omeroadmin.schema.settings import Settings

__all__ = [
    "Changes",
    "Profile",
    "activate_profile",
    "change_profile",
    "drop_profile",
    "ensure_saved",
    "load_settings",
    "read_known_profile",
    "read_profile",
    "unknown_profile",
    "update_profile",
    "upgrade_profiles",
]

Decision = Callable[[Mapping[str, str]], Mapping[str, str | None]]
"""Gets the profile's properties and says which to set, and, with ``None``, which to remove."""

Result = TypeVar("Result")

WAIT = 10.0
"""Seconds that a writer queues for the lock."""


def load_settings(instance: Instance, profile: str | None = None) -> Settings:
    """The values in force: those of a profile over the declared defaults.

    :raises AdminError: as :func:`read_profile`
    """
    from omeroadmin.schema.settings import Settings

    return Settings(read_profile(instance.config_xml, profile).values)


def read_known_profile(config_xml: Path, profile: str | None = None) -> Profile:
    """A profile's own properties, as :func:`read_profile` reads them; one that is asked for by name must be there.

    :raises AdminError: ``profile-unknown``; else as :func:`read_profile`
    """
    content = read_content(config_xml)
    if profile is not None and profile not in content.names():
        refuse_reserved(profile)
        raise unknown_profile(config_xml, profile, content.names())
    return content.profile(choose(profile, content.active))


def update_profile(
    config_xml: Path,
    set_: Mapping[str, str],
    remove: Collection[str] = (),
    profile: str | None = None,
    *,
    cause: str = "",
    wait: float = WAIT,
) -> Changes:
    """Set and remove properties as one change; a missing file is made. Where nothing changes, nothing is written.

    :param cause: the command that asks for it, without values, e.g. ``config set``; for the history
    :param wait: seconds to queue for the lock
    :raises AdminError: as :func:`change_profile`
    """
    wanted: dict[str, str | None] = {**dict.fromkeys(remove), **set_}
    return change_profile(config_xml, lambda _: wanted, profile, cause=cause, wait=wait)


def change_profile(
    config_xml: Path, decide: Decision, profile: str | None = None, *, cause: str = "", wait: float = WAIT
) -> Changes:
    """Change a profile by what it holds, while nobody else can change it.

    :param cause: the command that asks for it, without values, e.g. ``config set``; for the history
    :param wait: seconds to queue for the lock

    :raises AdminError: ``locked``, ``config-unparsable``, ``config-directory-missing``, ``config-read-only``,
        ``property-reserved``, ``property-name-invalid``, ``value-unstorable``, ``file-not-written``, and whatever
        ``decide`` raises
    """

    def edit(document: Document) -> Changes:
        name = choose(profile, document.active)
        present = document.values(name)
        wanted = decide(present)
        changes = {key: value for key, value in wanted.items() if present.get(key) != value}
        _check(changes)
        if changes:
            _check_profile(name, document)
            document.change(name, changes)
        return Changes(name, tuple(PropertyChange(key, present.get(key), value) for key, value in changes.items()))

    return _write(config_xml, edit, may_create=bool, cause=cause, wait=wait)


def activate_profile(config_xml: Path, name: str, *, cause: str = "", wait: float = WAIT) -> None:
    """Make a profile the active one for everybody, creating it where it is missing.

    :raises AdminError: as :func:`change_profile`; ``profile-name-invalid``, ``profile-reserved``
    """

    def edit(document: Document) -> None:
        refuse_reserved(name)
        _check_profile(name, document)
        document.activate(name)

    _write(config_xml, edit, may_create=lambda _: True, cause=cause, wait=wait)


def drop_profile(config_xml: Path, name: str | None = None, *, cause: str = "", wait: float = WAIT) -> Changes:
    """Remove a profile; the active one is made again, empty, and stays active.

    :param name: by default that of ``OMERO_CONFIG``, else the active one
    :return: the properties that went with it
    :raises AdminError: as :func:`change_profile`; ``profile-unknown``, ``profile-reserved``
    """

    def change(document: Document) -> Changes:
        profile = choose(name, document.active)
        known = document.state().profiles
        if profile not in known:
            raise unknown_profile(config_xml, profile, known)
        gone = changes_between(document.values(profile), {})
        document.drop(profile)
        return Changes(profile, gone)

    return _write(config_xml, change, may_create=lambda _: False, cause=cause, wait=wait)


def upgrade_profiles(config_xml: Path, *, cause: str = "", wait: float = WAIT) -> tuple[str, ...]:
    """Save profiles of an old format in today's, as every other write does; a missing file is made.

    :return: names of the profiles that were in an old format
    :raises AdminError: as :func:`change_profile`
    """
    return _write(
        config_xml,
        lambda document: document.upgraded,
        may_create=lambda _: True,
        must_save=True,
        cause=cause,
        wait=wait,
    )


def ensure_saved(config_xml: Path, *, cause: str = "", wait: float = WAIT) -> None:
    """Make the file where it is missing, and its ``__ACTIVE__`` copy where it isn't that of the active profile.

    :raises AdminError: as :func:`change_profile`
    """
    _write(config_xml, lambda _: None, may_create=lambda _: True, must_save=True, cause=cause, wait=wait)


def unknown_profile(config_xml: Path, name: str, known: Collection[str]) -> AdminError:
    """The error for a profile that isn't there."""
    return usage_error(
        "profile-unknown",
        f"{config_xml} has no profile {name!r}",
        f"it has: {printable(', '.join(sorted(known)))}",
    )


def _write(
    config_xml: Path,
    change: Callable[[Document], Result],
    *,
    may_create: Callable[[Result], bool],
    must_save: bool = False,
    cause: str,
    wait: float,
) -> Result:
    # Readers, who import this module as well, are spared the import.
    from omeroadmin.profiles.writer import Edit, write

    return write(config_xml, Edit(change, may_create, must_save=must_save, cause=cause), wait=wait)


def _check_profile(name: str, document: Document) -> None:
    from omeroadmin.schema.catalog import KEY_PATTERN

    if not document.has(name) and not KEY_PATTERN.fullmatch(name):
        raise usage_error(
            "profile-name-invalid",
            f"{name!r} can't be the name of a profile",
            "letters, digits, and . _ - make a name",
        )


def _check(changes: Mapping[str, str | None]) -> None:
    from omeroadmin.schema.validation import check_name, check_storable

    for name, value in changes.items():
        if name in RESERVED:
            from omeroadmin.profiles.entries import reserved_property

            raise reserved_property(name)
        if value is not None:
            check_name(name)
            check_storable(name, value)

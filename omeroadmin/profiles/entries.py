"""One property as a text gives it, and whether it can be set."""

from __future__ import annotations

from dataclasses import dataclass, field

from omeroadmin.errors import AdminError, configuration_error, located, usage_error
from omeroadmin.profiles.reader import RESERVED
from omeroadmin.schema.catalog import MASK, is_secret
from omeroadmin.schema.validation import check_name, check_storable, check_value


@dataclass(frozen=True)
class Entry:
    """One property as a text gives it.

    :param origin: name of the file and number of the line
    """

    name: str
    value: str = field(repr=False)
    origin: str


def check_entry(entry: Entry, *, force: bool) -> None:
    """Whether a property can be set so.

    :param force: whether a value of a wrong kind is taken
    :raises AdminError: ``masked-secret``, ``property-name-invalid``, ``property-reserved``, ``value-unstorable``,
        ``value-invalid``, each with the entry's origin
    """
    try:
        check_assignable(entry.name)
        check_shown(entry.name, entry.value, "make a copy that has the secrets: omero config export -o FILE")
        check_storable(entry.name, entry.value)
        if not force:
            check_value(entry.name, entry.value)
    except AdminError as error:
        raise located(error, entry.origin) from error


def check_shown(name: str, value: str, hint: str) -> None:
    """Whether a value is one that was shown, and not what stands for a secret in listings.

    :param hint: where the true value is
    :raises AdminError: ``masked-secret``
    """
    if value == MASK and is_secret(name):
        raise configuration_error(
            "masked-secret", f"{name} is {MASK}, which stands for a value that was not shown", hint
        )


def check_assignable(name: str) -> None:
    """Whether a property of this name is the admin's to set.

    :raises AdminError: ``property-name-invalid``, ``property-reserved``
    """
    check_name(name)
    if name in RESERVED:
        raise reserved_property(name)


def reserved_property(name: str) -> AdminError:
    """The error for a property of the file's own."""
    return usage_error(
        "property-reserved",
        f"{name} belongs to config.xml itself and can't be set",
        "choose the active profile with: omero config def NAME",
    )

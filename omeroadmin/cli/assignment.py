"""What `omero config set` does with a value that it has been given; the quick path does it without Typer."""

from __future__ import annotations

from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.views.changes import change_lines, warn_unknown
from omeroadmin.profiles.store import WAIT, update_profile
from omeroadmin.schema.catalog import MASK
from omeroadmin.schema.validation import check_name, check_value


def assign(name: str, value: str | None, *, report: bool = False, force: bool = False, wait: float = WAIT) -> None:
    """Set a property of the active profile, or remove it, and say what has changed and what is odd.

    :param value: ``None`` removes the property
    :param report: whether to say what has changed
    :param force: whether a value that isn't of the property's kind is taken
    :param wait: seconds to queue for other writers
    :raises AdminError: as :func:`omeroadmin.profiles.store.update_profile`; ``value-invalid``, ``masked-secret``
    """
    config_xml = config_file()
    check_name(name, value or "")
    if value is None:
        changes = update_profile(config_xml, {}, [name], cause="config set", wait=wait)
    else:
        if value == MASK and not force:
            from omeroadmin.profiles.entries import check_shown

            check_shown(name, value, f"the true one: omero config get {name} (--force takes any value)")
        if not force:
            check_value(name, value)
        changes = update_profile(config_xml, {name: value}, cause="config set", wait=wait)
        warn_unknown(name)
    if report:
        print_lines(*change_lines(changes))

"""Makes a profile what was wished for, as one change; the second time there is nothing to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from omeroadmin.errors import usage_error
from omeroadmin.profiles.changes import Changes, PropertyChange, changes_between
from omeroadmin.profiles.desired.wish import Wish, check_wishes
from omeroadmin.profiles.reader import read_profile
from omeroadmin.profiles.store import WAIT, change_profile


def plan_changes(
    present: Mapping[str, str], wanted: Mapping[str, str | None], *, prune: bool
) -> tuple[PropertyChange, ...]:
    """What leads from the present properties to the wanted ones, sorted by name.

    :param wanted: with ``None`` for a property that shall not be set
    :param prune: whether properties that aren't among the wanted go
    """
    kept = {} if prune else present
    after = {name: value for name, value in {**kept, **wanted}.items() if value is not None}
    return changes_between(present, after)


def preview_wishes(config_xml: Path, wishes: Iterable[Wish], *, prune: bool, force: bool) -> Changes:
    """What :func:`apply_wishes` would change now; nothing is locked or written.

    :raises AdminError: as :func:`apply_wishes`
    """
    wanted = _checked(wishes, prune=prune, force=force)
    profile = read_profile(config_xml)
    return Changes(profile.name, plan_changes(profile.values, wanted, prune=prune))


def apply_wishes(
    config_xml: Path, wishes: Iterable[Wish], *, prune: bool, force: bool, cause: str = "", wait: float = WAIT
) -> Changes:
    """Make it so; where it is so already, nothing is written.

    :param prune: whether properties that nobody wishes for are removed
    :param force: whether values of a wrong kind are taken
    :param cause: the command that asks for it, without values; for the history
    :param wait: seconds to queue for the lock
    :raises AdminError: ``wishes-missing``, as :func:`omeroadmin.profiles.desired.wish.check_wishes`, and as
        :func:`omeroadmin.profiles.store.change_profile`
    """
    wanted = _checked(wishes, prune=prune, force=force)

    def decide(present: Mapping[str, str]) -> Mapping[str, str | None]:
        return {change.name: change.new for change in plan_changes(present, wanted, prune=prune)}

    return change_profile(config_xml, decide, cause=cause, wait=wait)


def _checked(wishes: Iterable[Wish], *, prune: bool, force: bool) -> dict[str, str | None]:
    wanted = check_wishes(wishes, force=force)
    if prune and not wanted:
        # A file that a failed template has left empty is no reason to remove everything.
        raise usage_error(
            "wishes-missing",
            "no property is named at all, and --prune would remove every one that is set",
            "to empty a profile: omero config drop NAME",
        )
    return wanted

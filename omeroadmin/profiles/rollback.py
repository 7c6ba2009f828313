"""Makes config.xml again what it was after a revision, as a new revision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.profiles.history import read_history
from omeroadmin.profiles.reader import refuse_reserved
from omeroadmin.profiles.state import State, StateChange, difference, state_of
from omeroadmin.profiles.store import WAIT, unknown_profile
from omeroadmin.profiles.upgrades import upgraded

if TYPE_CHECKING:
    from omeroadmin.profiles.document import Document


def plan_rollback(config_xml: Path, number: int, profile: str | None = None) -> StateChange:
    """What a rollback would change now; nothing is changed.

    :param number: of the revision whose outcome is wanted; 0, or the lowest that is there, for the beginning
    :param profile: the only one to change; by default all of them, and which is active
    :raises AdminError: ``revision-unknown``, ``profile-unknown``, ``profile-reserved``, ``history-damaged``,
        ``config-unparsable``, ``file-not-read``
    """
    history = read_history(config_xml)
    present, then = _in_todays_format(history.present), _in_todays_format(history.state(number))
    return difference(present, _wanted(config_xml, present, then, profile))


def roll_back(
    config_xml: Path, number: int, profile: str | None = None, *, cause: str = "", wait: float = WAIT
) -> StateChange:
    """Make it so; where it is so already, nothing is written.

    :param cause: the command that asks for it, without values; for the history
    :param wait: seconds to queue for the lock
    :return: what has changed
    :raises AdminError: as :func:`plan_rollback` and :func:`omeroadmin.profiles.writer.write`
    """
    from omeroadmin.profiles.writer import Edit, write

    then = _in_todays_format(read_history(config_xml).state(number))

    def change(document: Document) -> StateChange:
        present = document.state()
        wanted = _wanted(config_xml, present, then, profile)
        changes = difference(present, wanted)
        if changes:
            document.become(wanted)
        return changes

    return write(config_xml, Edit(change, may_create=bool, cause=cause), wait=wait)


def _wanted(config_xml: Path, present: State, then: State, profile: str | None) -> State:
    if profile is None:
        return then
    refuse_reserved(profile)
    profiles = dict(present.profiles)
    if profile in then.profiles:
        profiles[profile] = then.profiles[profile]
    elif profile in profiles:
        del profiles[profile]
    else:
        raise unknown_profile(config_xml, profile, {*profiles, *then.profiles})
    return state_of(present.active, profiles)


def _in_todays_format(state: State) -> State:
    return state_of(state.active, {name: upgraded(block) for name, block in state.profiles.items()})

"""What config.xml says, apart from how it is written: the state that a revision leads to, and what differs in two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from omeroadmin.profiles.changes import Changes, changes_between
from omeroadmin.profiles.reader import FALLBACK, PROFILE_KEY, VERSION, VERSION_KEY


@dataclass(frozen=True)
class State:
    """All profiles; made by :func:`state_of`.

    :param active: name of the active profile, which is always among the profiles
    :param profiles: properties of each; the format's version only where it isn't today's
    """

    active: str = FALLBACK
    profiles: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {FALLBACK: {}}, repr=False)

    def values(self, profile: str) -> dict[str, str]:
        """What a profile sets, without the file's own properties."""
        return {name: value for name, value in self.profiles.get(profile, {}).items() if name != VERSION_KEY}


@dataclass(frozen=True)
class StateChange:
    """What leads from one state to another; false where that is nothing.

    :param active: names of the active profile before and after; ``None`` where it stays
    :param created: names of new profiles
    :param dropped: names of profiles that are gone
    :param profiles: the properties that change, a member for each profile concerned
    """

    active: tuple[str, str] | None = None
    created: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    profiles: tuple[Changes, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.active or self.created or self.dropped or self.profiles)


def state_of(active: str, blocks: Mapping[str, Mapping[str, str]]) -> State:
    """The state that a file's blocks make, ``__ACTIVE__`` left out.

    :param blocks: all properties of each profile, the file's own among them
    """
    profiles = {name: _without_defaults(block) for name, block in blocks.items()}
    profiles.setdefault(active, {})
    return State(active, profiles)


def digest(state: State) -> str:
    """Short name for a state: another one for any other state, whatever the order of its properties."""
    import json

    try:
        # hashlib would load OpenSSL, which takes longer than all the rest of a write.
        from _blake2 import blake2b
    except ImportError:
        from hashlib import blake2b

    text = json.dumps([state.active, state.profiles], sort_keys=True, separators=(",", ":"))
    return str(blake2b(text.encode(), digest_size=16).hexdigest())


def difference(old: State, new: State) -> StateChange:
    """What leads from one state to another."""
    return StateChange(
        active=None if old.active == new.active else (old.active, new.active),
        created=tuple(sorted(set(new.profiles) - set(old.profiles))),
        dropped=tuple(sorted(set(old.profiles) - set(new.profiles))),
        profiles=tuple(_differing(old, new)),
    )


def _differing(old: State, new: State) -> Iterator[Changes]:
    for name in sorted({*old.profiles, *new.profiles}):
        before, after = old.profiles.get(name), new.profiles.get(name)
        if before is not None and after is not None:
            before, after = {VERSION_KEY: VERSION, **before}, {VERSION_KEY: VERSION, **after}
        properties = changes_between(before or {}, after or {})
        if properties:
            yield Changes(name, properties)


def applied(state: State, change: StateChange) -> State:
    """The state after a change."""
    profiles = {name: dict(values) for name, values in state.profiles.items() if name not in change.dropped}
    profiles.update({name: {} for name in change.created})
    for changes in change.profiles:
        if changes.profile in change.dropped:
            continue
        values = profiles.setdefault(changes.profile, {})
        for item in changes.properties:
            if item.new is None:
                values.pop(item.name, None)
            else:
                values[item.name] = item.new
    return state_of(change.active[1] if change.active else state.active, profiles)


def _without_defaults(block: Mapping[str, str]) -> dict[str, str]:
    values = {name: value for name, value in block.items() if name != PROFILE_KEY}
    if values.get(VERSION_KEY) == VERSION:
        del values[VERSION_KEY]
    return values

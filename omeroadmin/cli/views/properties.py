"""Properties as lines; the quick path prints them too, so nothing heavy is imported here."""

from __future__ import annotations

from omeroadmin.profiles.reader import VERSION_KEY

TYPE_CHECKING = False
"""Known to type checkers without typing."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omeroadmin.profiles.reader import Profile


def property_lines(profile: Profile, names: Sequence[str], *, show_secrets: bool) -> list[str]:
    """One named property bare, as scripts expect it; several, or all, sorted as ``name=value`` with secrets masked.

    :param names: all by default; those that aren't set are left out
    """
    if len(names) == 1:
        values = {VERSION_KEY: profile.version, **profile.values}
        return [values[name] for name in names if name in values]
    chosen = sorted(names) if names else sorted(profile.values)
    return [f"{name}={_shown(profile, name, show_secrets)}" for name in chosen if name in profile.values]


def _shown(profile: Profile, name: str, show_secrets: bool) -> str:
    from omeroadmin.schema.catalog import MASK, is_secret

    value = profile.values[name]
    return MASK if value and not show_secrets and is_secret(name) else value

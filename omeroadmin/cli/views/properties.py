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
    values = _values(profile, names)
    if len(names) == 1:
        return [values[name] for name in names if name in values]
    return [
        f"{name}={values[name] if show_secrets else _masked(name, values[name])}"
        for name in sorted(names or values)
        if name in values
    ]


def properties_document(profile: Profile, names: Sequence[str], *, show_secrets: bool) -> dict[str, object]:
    """The same as JSON: ``null`` instead of each secret that isn't shown.

    :param names: all by default; those that aren't set are left out
    """
    from omeroadmin.schema.catalog import is_secret

    values = _values(profile, names)
    chosen = [name for name in sorted(set(names) or values) if name in values]
    masked = {name: None for name in chosen if values[name] and not show_secrets and is_secret(name)}
    return {
        "profile": profile.name,
        "version": profile.version,
        "properties": {**{name: values[name] for name in chosen}, **masked},
        "masked": list(masked),
    }


def _values(profile: Profile, names: Sequence[str]) -> dict[str, str]:
    """The profile's values; the file's own version only where it is asked for by name."""
    return {VERSION_KEY: profile.version, **profile.values} if VERSION_KEY in names else profile.values


def _masked(name: str, value: str) -> str:
    from omeroadmin.schema.catalog import MASK, is_secret

    return MASK if value and is_secret(name) else value

"""The values in force of a profile, as `omero config get --resolve` shows them."""

from __future__ import annotations

from collections.abc import Sequence

from omeroadmin.profiles.reader import Profile
from omeroadmin.schema.catalog import MASK, default_of, is_secret
from omeroadmin.schema.settings import Settings


def resolved(profile: Profile, names: Sequence[str], *, show_secrets: bool) -> Profile:
    """A profile whose values have their ``${references}`` expanded.

    :param names: properties that are wanted, with their default where they are unset; by default those that are set
    :param show_secrets: whether a reference to a secret gives the secret, or its mask
    :raises AdminError: ``setting-recursive``
    """
    values = profile.values
    if not show_secrets:
        values = {name: MASK if value and is_secret(name) else value for name, value in values.items()}
    settings = Settings(values)
    wanted = [name for name in dict.fromkeys(names) if name in values or default_of(name) is not None]
    return Profile(profile.name, {name: settings.text(name) for name in (wanted if names else values)}, profile.version)

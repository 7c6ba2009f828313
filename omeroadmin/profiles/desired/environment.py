"""Properties as variables of the environment, as containers are given them: ``CONFIG_omero_db_host``.

``_`` stands for a dot and ``__`` for an underscore, read from the left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from omeroadmin.errors import printable, usage_error
from omeroadmin.profiles.desired.wish import Wish

PREFIX = "CONFIG_"
_UNDERSCORES = re.compile("__?")
_VARIABLE = re.compile("[A-Za-z0-9_]+")


def environment_wishes(environment: Mapping[str, str]) -> list[Wish]:
    """What the variables wish for, sorted by their names; no two stand for one property."""
    variables = sorted(name for name in environment if name.startswith(PREFIX) and name != PREFIX)
    return [Wish(property_of(variable), environment[variable], printable(variable)) for variable in variables]


def property_of(variable: str) -> str:
    """Name of the property behind a variable."""
    return _UNDERSCORES.sub(lambda found: "_" if len(found.group()) == 2 else ".", variable.removeprefix(PREFIX))


def variable_of(name: str) -> str:
    """Name of the variable for a property.

    :raises AdminError: ``variable-impossible``
    """
    variable = PREFIX + name.replace("_", "__").replace(".", "_")
    if _VARIABLE.fullmatch(variable) and variable != PREFIX and property_of(variable) == name:
        return variable
    raise usage_error(
        "variable-impossible",
        f"no variable can stand for {name!r}: it has a character other than letters, digits, . and _, or a dot before "
        "another dot or an underscore",
        "choose another format: --format properties",
    )

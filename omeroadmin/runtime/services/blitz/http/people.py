"""Forms of users and groups, as the API shows them and takes them."""

from __future__ import annotations

from omeroadmin.runtime.services.blitz.http.forms import (
    FLAG,
    HIGHEST,
    ID,
    TEXT,
    default,
    few,
    maybe,
    named,
    one_of,
    words,
)
from omeroadmin.runtime.services.blitz.http.operation import Parameter
from omeroadmin.runtime.services.blitz.services.levels import Level
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.schema.forms import array, number, record

_MOST_CHOSEN = 1000

NAME = words(255, 1)
IDS = few(ID, _MOST_CHOSEN, 1)
PRIVILEGES = few(one_of(*Privilege), len(Privilege))
PERMISSIONS = words(6, 6)
DETAILS = {"first_name": NAME, "last_name": NAME}
MORE_DETAILS = {name: words(255) for name in ("middle_name", "email", "institution")}

USER = named(
    "User",
    record(
        {
            "id": ID,
            "name": TEXT,
            **dict.fromkeys(("first_name", "middle_name", "last_name", "email", "institution"), TEXT),
            **dict.fromkeys(("ldap", "active", "admin"), FLAG),
            "privileges": array(one_of(*Privilege)),
            "default_group": maybe(ID),
            "member_of": array(ID),
            "owner_of": array(ID),
        }
    ),
)
GROUP = named(
    "Group",
    record(
        {
            "id": ID,
            "name": TEXT,
            "description": TEXT,
            "ldap": FLAG,
            "permissions": TEXT,
            "level": one_of(*Level),
            "owners": array(ID),
            "members": array(ID),
        }
    ),
)
CHANGED = named("ChangedUsers", record({"changed": array(ID)}))

PAGE = (
    Parameter("after", default(number(-1, HIGHEST), -1), "The id to continue after; the first is 0."),
    Parameter("limit", default(number(1, 10_000), 1000), "How many at most."),
)
LOOKUP = record(
    {},
    {
        "ids": default(few(ID, _MOST_CHOSEN), []),
        "names": default(few(words(255), _MOST_CHOSEN), []),
    },
)
"""In a body: so many names are too long for an address."""

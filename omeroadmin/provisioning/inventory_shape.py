"""What an inventory may look like."""

from __future__ import annotations

from omeroadmin.provisioning.inventory import NO_JUMP, Become
from omeroadmin.provisioning.patterns import ALL
from omeroadmin.schema.kinds import HOST, PORT, SECRET, enum, text_like, whole
from omeroadmin.schema.shapes import Anything, Items, Key, Record, Scalar, Table

_RESERVED = (ALL, NO_JUMP)
_NAME = rf"(?!(?:{'|'.join(_RESERVED)})$)[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME_WORDS = f"a name: letters, digits, '.', '_' and '-', but not {' or '.join(_RESERVED)}"
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
RESERVED_VARIABLES = ("base", "host", "hosts", "item")
"""What templates and conditions know by themselves."""

_NAMES = Items(Scalar(text_like(_NAME, _NAME_WORDS)), single=True)
_VARIABLES = Key(
    Table(
        Anything(),
        name=rf"(?!(?:{'|'.join(RESERVED_VARIABLES)})$){VARIABLE}",
        name_words=f"a variable: letters, digits and '_', but not {', '.join(RESERVED_VARIABLES)}",
    ),
    description="Values for templates and conditions of playbooks.",
)
CONNECTION = {
    "port": Key(Scalar(PORT), description="Port of sshd."),
    "user": Key(Scalar(text_like(r"[^\s:@-][^\s:@]*", "a user name")), description="Who logs in."),
    "key": Key(
        Items(Scalar(text_like(r"[^\x00-\x1f]+", "a path")), single=True),
        description="File of the private key, or several; no other key is tried then.",
    ),
    "jump": Key(
        Scalar(text_like(rf"{NO_JUMP}|{_NAME}", f"the name of a host, or {NO_JUMP}")),
        description="Host of the inventory that the connection goes through; `none`: straight.",
    ),
    "become": Key(Scalar(enum(*Become)), description="`sudo`: the agent runs as root; `none`: as who logs in."),
    "sudo_password": Key(Scalar(SECRET, secret=True), description="What sudo asks for, by `!file` or `!env`."),
    "python": Key(
        Scalar(text_like(r"[A-Za-z0-9/][A-Za-z0-9/._+-]*", "the name or path of a program")),
        description="The Python that runs the agent, 3.9 or later.",
    ),
    "timeout": Key(Scalar(whole(1, 3600, "seconds")), description="For the connection, the greeting and the login."),
}
_GROUP = Record(
    {
        "hosts": Key(_NAMES, description="Hosts of the group."),
        "groups": Key(_NAMES, description="Groups whose hosts belong to it as well."),
        "connection": Key(Record(CONNECTION), description="How its hosts are reached."),
        "variables": _VARIABLES,
    },
    empty=True,
)
_HOST = Record(
    {
        "address": Key(Scalar(HOST), description="Host name or IP address; without it, the name itself."),
        **CONNECTION,
        "variables": _VARIABLES,
    },
    empty=True,
)
INVENTORY = Record({
    "defaults": Key(Record(CONNECTION), description="How all hosts are reached."),
    "variables": _VARIABLES,
    "groups": Key(Table(_GROUP, name=_NAME, name_words=_NAME_WORDS), description="Groups by name."),
    "hosts": Key(Table(_HOST, name=_NAME, name_words=_NAME_WORDS), required=True, description="Hosts by name."),
})  # fmt: skip

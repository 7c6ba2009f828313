"""What an inventory may look like."""

from __future__ import annotations

from omeroadmin.provisioning.inventory import NO_JUMP, Become
from omeroadmin.provisioning.patterns import ALL
from omeroadmin.schema.kinds import HOST, PORT, SECRET, enum, text_like, whole
from omeroadmin.schema.shapes import Anything, Items, Key, Record, Scalar, Table

_RESERVED = (ALL, NO_JUMP)
_NAME = rf"(?!(?:{'|'.join(_RESERVED)})$)[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME_WORDS = f"a name of letters, digits, '.', '_' and '-', but not {' or '.join(_RESERVED)}"
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"
RESERVED_VARIABLES = ("base", "host", "hosts", "item")
"""What templates and conditions know by themselves."""

_NAMES = Items(Scalar(text_like(_NAME, _NAME_WORDS)), single=True)
_VARIABLES = Key(
    Table(
        Anything(),
        name=rf"(?!(?:{'|'.join(RESERVED_VARIABLES)})$){VARIABLE}",
        name_words=f"a variable of letters, digits and '_', but not {', '.join(RESERVED_VARIABLES)}",
    ),
    description="Values for templates and conditions of playbooks.",
)
CONNECTION = {
    "port": Key(Scalar(PORT), description="Port of sshd; else as `~/.ssh/config` says, or 22."),
    "user": Key(
        Scalar(text_like(r"[^\s:@-][^\s:@]*", "a user name")),
        description="Who logs in; else as `~/.ssh/config` says, or who you are.",
    ),
    "key": Key(
        Items(Scalar(text_like(r"[^\x00-\x1f]+", "a path")), single=True),
        description="File of the private key, or several, relative to the inventory; no other is tried. Else as"
        " `~/.ssh/config` and ssh-agent say.",
    ),
    "jump": Key(
        Scalar(text_like(rf"{NO_JUMP}|{_NAME}", f"the name of a host, or {NO_JUMP}")),
        description="Host of the inventory to go through; `none`: straight. Else as `ProxyJump` of `~/.ssh/config`.",
    ),
    "become": Key(
        Scalar(enum(*Become)), description="`sudo`: commands are run as root; `none`, as without it: as who logs in."
    ),
    "sudo_password": Key(
        Scalar(SECRET, secret=True), description="What sudo asks for, by `!file` or `!env` only; else it must not ask."
    ),
    "python": Key(
        Scalar(text_like(r"[A-Za-z0-9/][A-Za-z0-9/._+-]*", "the name or path of a program")),
        description="The Python to use there, 3.9 or later; else `python3`.",
    ),
    "timeout": Key(
        Scalar(whole(1, 3600, "seconds")),
        description="For the connection, the greeting and the login, each; else as `~/.ssh/config` says, or 15.",
    ),
}
GROUP_SHAPE = Record(
    {
        "hosts": Key(_NAMES, description="Hosts of the group."),
        "groups": Key(_NAMES, description="Groups whose hosts belong to it as well."),
        "connection": Key(Record(CONNECTION), description="How its hosts are reached."),
        "variables": _VARIABLES,
    },
    empty=True,
)
HOST_SHAPE = Record(
    {
        "address": Key(Scalar(HOST), description="Where it is; else what its name says."),
        **CONNECTION,
        "variables": _VARIABLES,
    },
    empty=True,
)
INVENTORY = Record({
    "defaults": Key(Record(CONNECTION), description="How all hosts are reached."),
    "variables": _VARIABLES,
    "groups": Key(Table(GROUP_SHAPE, name=_NAME, name_words=_NAME_WORDS), description="Groups by name."),
    "hosts": Key(Table(HOST_SHAPE, name=_NAME, name_words=_NAME_WORDS), required=True, description="Hosts by name."),
})  # fmt: skip

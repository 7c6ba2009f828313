"""Operations on accounts: group, user."""

from __future__ import annotations

from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType

_SYSTEM = "Whether its number is one of the system's, below those of people; only for a new one."

GROUP = Declaration(
    "group",
    "A group of the host.",
    (
        Field("name", FieldType.NAME, "Its name.", REQUIRED),
        Field("gid", FieldType.INTEGER, "Its number; the next free one by default."),
        Field("system", FieldType.BOOLEAN, _SYSTEM, default=False),
    ),
    main="name",
    undo=True,
    example="group: {name: omero-data, system: true}",
)
USER = Declaration(
    "user",
    "An account of the host. Undo removes only an account that the run made, and its home only where it is as new.",
    (
        Field("name", FieldType.NAME, "Its name.", REQUIRED),
        Field("uid", FieldType.INTEGER, "Its number; the next free one by default."),
        Field("group", FieldType.NAME, "Its own group; one of its own name by default."),
        Field("groups", FieldType.NAMES, "More groups. It is taken out of none."),
        Field("home", FieldType.PATH, "Its home; what is in an earlier one stays there."),
        Field("create_home", FieldType.BOOLEAN, "Whether a missing home is made.", default=True),
        Field("shell", FieldType.PATH, "Its shell."),
        Field("system", FieldType.BOOLEAN, _SYSTEM, default=False),
        Field(
            "password",
            FieldType.CHOICE,
            "`none`: no password will do, keys do. `locked`: the account has one that can't be used. A new account has"
            " none that can be used.",
            "unchanged",
            choices=("unchanged", "none", "locked"),
        ),
    ),
    main="name",
    undo=True,
    example="user: {name: omero-server, system: true, home: /opt/omero/server, shell: /bin/bash}",
)
DECLARED = (GROUP, USER)

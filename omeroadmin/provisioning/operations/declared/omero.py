"""Operations on an instance of OMERO: omero-config."""

from __future__ import annotations

from typing import Any

from omeroadmin.provisioning.operations.field import Declaration, Field, FieldType

OMERODIR = Field("omerodir", FieldType.PATH, "The instance.", "/opt/omero/server/OMERO.server")
PROGRAM = Field("program", FieldType.PATH, "The toolkit on the host.", "/opt/omero/server/venv3/bin/omero")
USER = Field("user", FieldType.NAME, "Account that the instance belongs to.", "omero-server")


def _named_once(fields: dict[str, Any]) -> str:
    names = [*fields["set"], *fields["set_secret"], *fields["remove"]]
    twice = sorted({name for name in names if names.count(name) > 1})
    return f"{', '.join(twice)} is in more than one of set, set_secret and remove" if twice else ""


OMERO_CONFIG = Declaration(
    "omero-config",
    "Properties of an instance, as `omero config apply` sets them; what isn't named stays as it is.",
    (
        OMERODIR,
        Field("profile", FieldType.TEXT, "The profile; by default the active one."),
        Field("set", FieldType.MAP, "Properties and their values."),
        Field("set_secret", FieldType.MAP, "The same, for values that are never shown.", secret=True),
        Field("remove", FieldType.TEXTS, "Properties that shall have their defaults."),
        PROGRAM,
        USER,
    ),
    undo=True,
    check=_named_once,
    example="omero-config: {set: {omero.data.dir: /OMERO}, set_secret: {omero.db.pass: '{{ password }}'}}",
)
DECLARED = (OMERO_CONFIG,)

"""Operations on services: service, unit."""

from __future__ import annotations

from typing import Any

from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType


def unit_fault(fields: dict[str, Any]) -> str:
    """What is wrong with where a unit's content comes from."""
    given = bool(fields["content"]) + bool(fields["source"]) + bool(fields["template"])
    if given > 1:
        return "content, source and template exclude one another"
    if (fields["state"] == "absent") == bool(given):
        return "a unit has content, unless it shall be absent"
    return ""


SERVICE = Declaration(
    "service",
    "A service that runs, or doesn't, now and with the machine: by systemd where it runs, else by `/etc/init.d`.",
    (
        Field("name", FieldType.NAME, "The service, or a whole unit name: `nginx`, `omero-backup.timer`.", REQUIRED),
        Field(
            "state",
            FieldType.CHOICE,
            "What it shall be; by default it stays as it is. `restarted` and `reloaded` do that on each run, unless "
            "the operation has an `id` and waits to be triggered.",
            "",
            choices=("", "started", "stopped", "restarted", "reloaded"),
        ),
        Field("enabled", FieldType.BOOLEAN, "Whether it starts with the machine; by default that stays.", default=None),
        Field("timeout", FieldType.NUMBER, "Seconds that a start or stop may take.", 300),
    ),
    main="name",
    undo=True,
    example="service: {name: nginx, state: started, enabled: true}",
)
UNIT = Declaration(
    "unit",
    "A unit file of systemd, checked before it is put in place. It is written where systemd doesn't run, too.",
    (
        Field("name", FieldType.NAME, "The unit: `omero-server.service`, `omero-backup.timer`.", REQUIRED),
        Field(
            "drop_in", FieldType.NAME, "Name of a drop-in for the unit, without `.conf`, instead of the unit itself."
        ),
        Field("content", FieldType.TEXT, "What it holds."),
        Field("source", FieldType.LOCAL_PATH, "A file on the controller that it is a copy of."),
        Field("template", FieldType.LOCAL_PATH, "A Jinja2 template that its content is made from."),
        Field("verify", FieldType.BOOLEAN, "Whether `systemd-analyze verify` must find no fault.", default=True),
        Field("directory", FieldType.PATH, "Where units are.", "/etc/systemd/system"),
        Field(
            "state",
            FieldType.CHOICE,
            "`absent` disables and removes it; stop it before by `service`.",
            "present",
            choices=("present", "absent"),
        ),
    ),
    undo=True,
    check=unit_fault,
    example="unit: {name: omero-web.service, template: systemd/omero-web.service.j2}",
)
DECLARED = (SERVICE, UNIT)

"""Operations on programs: package, virtualenv."""

from __future__ import annotations

from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType

PACKAGE = Declaration(
    "package",
    "Packages of the distribution: by APT on Debian and Ubuntu, by dnf on RHEL and its kin.",
    (
        Field("names", FieldType.NAMES, "The packages, as the distribution calls them.", REQUIRED),
        Field(
            "recommends", FieldType.BOOLEAN, "Whether packages that these recommend are installed, too.", default=False
        ),
        Field(
            "lists_age", FieldType.NUMBER, "Hours after which APT's lists are fetched anew before an installation.", 24
        ),
        Field("wait", FieldType.NUMBER, "Seconds to wait for another run of the package manager.", 300),
        Field(
            "state",
            FieldType.CHOICE,
            "`absent` removes them; their data stays.",
            "present",
            choices=("present", "absent"),
        ),
    ),
    main="names",
    undo=True,
    example="package: {names: [nginx, openssl]}",
)
DECLARED = (PACKAGE,)

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
VIRTUALENV = Declaration(
    "virtualenv",
    "A virtual environment of Python with packages in it. One that an interrupted run left half-way is made anew.",
    (
        Field("path", FieldType.PATH, "Its directory.", REQUIRED),
        Field("python", FieldType.TEXT, "The Python that it is made with: a name or a path.", "python3"),
        Field("owner", FieldType.NAME, "User whom it belongs to and who runs pip; by default the one who carries out."),
        Field("packages", FieldType.TEXTS, "What pip shall install: names, with versions where it matters, or files."),
        Field("requirements", FieldType.PATH, "A requirements file on the host."),
        Field("index", FieldType.TEXT, "Address of a package index, instead of PyPI."),
        Field("find_links", FieldType.TEXT, "A directory or an address with packages."),
        Field("options", FieldType.TEXTS, "More options for `pip install`, such as `--no-index`."),
        Field("system_packages", FieldType.BOOLEAN, "Whether it sees the packages of the system.", default=False),
        Field("state", FieldType.CHOICE, "`absent` removes it.", "present", choices=("present", "absent")),
    ),
    main="path",
    undo=True,
    example="virtualenv: {path: /opt/omero/server/venv3, owner: omero-server, packages: ['omero-py>=5.19']}",
)
DECLARED = (PACKAGE, VIRTUALENV)

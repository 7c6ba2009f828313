"""Operations on paths: directory, file, link, archive."""

from __future__ import annotations

from typing import Any

from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType

OWNER = Field("owner", FieldType.NAME, "User it belongs to, by name or number; by default it stays as it is.")
GROUP = Field("group", FieldType.NAME, "Group it belongs to, by name or number; by default it stays as it is.")


def _file_has_content(fields: dict[str, Any]) -> str:
    given = bool(fields["content"]) + bool(fields["source"]) + bool(fields["template"])
    if given > 1:
        return "content, source and template exclude one another"
    if fields["state"] == "absent" and given:
        return "a file that shall be absent has no content"
    return ""


def _link_has_target(fields: dict[str, Any]) -> str:
    return "" if fields["target"] or fields["state"] == "absent" else "a link needs a target"


DIRECTORY = Declaration(
    "directory",
    "A directory with owner, group and mode.",
    (
        Field("path", FieldType.PATH, "The directory; missing parents are made with mode 0755.", REQUIRED),
        OWNER,
        GROUP,
        Field("mode", FieldType.MODE, "Permission bits; 0755 for a new directory where it isn't given."),
        Field(
            "state", FieldType.CHOICE, "`absent` removes it if it is empty.", "present", choices=("present", "absent")
        ),
    ),
    main="path",
    undo=True,
    example="directory: {path: /OMERO, owner: omero-server, mode: '0755'}",
)
FILE = Declaration(
    "file",
    "A file with content, owner, group and mode.",
    (
        Field("path", FieldType.PATH, "The file; its directory must exist.", REQUIRED),
        Field("content", FieldType.TEXT, "What it holds."),
        Field("source", FieldType.LOCAL_PATH, "A file on the controller that it is a copy of."),
        Field("template", FieldType.LOCAL_PATH, "A Jinja2 template that its content is made from."),
        OWNER,
        GROUP,
        Field("mode", FieldType.MODE, "Permission bits; 0644 for a new file, 0600 for a secret one."),
        Field("secret", FieldType.BOOLEAN, "Whether its content is never shown and no copy of it kept.", default=False),
        Field("only_new", FieldType.BOOLEAN, "Whether a file that is there keeps its content.", default=False),
        Field("state", FieldType.CHOICE, "`absent` removes it.", "present", choices=("present", "absent")),
    ),
    undo=True,
    check=_file_has_content,
    example="file: {path: /etc/motd, content: 'OMERO.server', mode: '0644'}",
)
LINK = Declaration(
    "link",
    "A symbolic link. It is pointed elsewhere in one step; a file or directory in its place stays, and is an error.",
    (
        Field("path", FieldType.PATH, "The link; its directory must exist.", REQUIRED),
        Field("target", FieldType.TEXT, "Where it points, as it stands in the link."),
        Field("state", FieldType.CHOICE, "`absent` removes it.", "present", choices=("present", "absent")),
    ),
    undo=True,
    check=_link_has_target,
    example="link: {path: /opt/omero/server/OMERO.server, target: OMERO.server-5.6.7}",
)
ARCHIVE = Declaration(
    "archive",
    "A directory with what a zip or tar archive of the controller holds. It is unpacked beside its place and takes it"
    " in one step. An archive with a path or link that leads out of the directory is refused.",
    (
        Field("source", FieldType.LOCAL_PATH, "The archive, on the controller.", REQUIRED),
        Field("path", FieldType.PATH, "The directory; it must not be there yet, or be empty.", REQUIRED),
        Field("creates", FieldType.PATH, "A path that says that it is unpacked; by default the directory."),
        Field("strip", FieldType.INTEGER, "Leading directories of the archive's paths that are left out.", 0),
        Field("owner", FieldType.NAME, "User that all of it belongs to, from the start."),
        Field("group", FieldType.NAME, "Group that all of it belongs to, from the start."),
    ),
    undo=True,
    example="archive: {source: files/OMERO.server-5.6.7.zip, path: /opt/omero/OMERO.server-5.6.7, strip: 1}",
)
DECLARED = (DIRECTORY, FILE, LINK, ARCHIVE)

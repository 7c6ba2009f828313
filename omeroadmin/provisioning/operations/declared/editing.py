"""Operations on the text of files that others bring: line, block."""

from __future__ import annotations

import re
from typing import Any

from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType

_PATH = Field("path", FieldType.PATH, "The file. One that an earlier operation brings need not be there yet.", REQUIRED)
_ANCHORS = (
    Field("after", FieldType.TEXT, "Regular expression: a new one comes after the last line that it finds."),
    Field("before", FieldType.TEXT, "Regular expression: a new one comes before the first line that it finds."),
)
_REST = (
    Field("create", FieldType.BOOLEAN, "Whether a missing file is made.", default=False),
    Field("secret", FieldType.BOOLEAN, "Whether the text is never shown and no copy of it kept.", default=False),
    Field("state", FieldType.CHOICE, "`absent` removes it.", "present", choices=("present", "absent")),
)


def _patterns(fields: dict[str, Any]) -> str:
    for name in ("match", "after", "before"):
        try:
            re.compile(fields.get(name, ""))
        except re.error as error:
            return f"{name} is no regular expression: {error}"
    return ""


def _line(fields: dict[str, Any]) -> str:
    if not fields["line"] and not (fields["match"] and fields["state"] == "absent"):
        return "a line is needed"
    if "\n" in fields["line"]:
        return "a line has no line end in it: use block"
    return _patterns(fields)


def _block(fields: dict[str, Any]) -> str:
    if not fields["comment"].strip() or "\n" in fields["comment"]:
        return "comment is what comments start with"
    if re.search(r"^\s*\S+ (BEGIN|END) omero ", fields["content"], re.MULTILINE):
        return "the content has markers of a block in it"
    return _patterns(fields)


LINE = Declaration(
    "line",
    "A line of a text file.",
    (
        _PATH,
        Field("line", FieldType.TEXT, "The line. One that is there already is not added again."),
        Field(
            "match",
            FieldType.TEXT,
            "Regular expression: the last line that it finds is replaced. With `state: absent`, all that it finds go.",
        ),
        *_ANCHORS,
        *_REST,
    ),
    undo=True,
    check=_line,
    example="line: {path: /etc/ssh/sshd_config, line: PermitRootLogin no, match: '^#?PermitRootLogin'}",
)
BLOCK = Declaration(
    "block",
    "Lines of a text file, between `# BEGIN omero NAME` and `# END omero NAME`.",
    (
        _PATH,
        Field("name", FieldType.NAME, "What tells it from other blocks of the file.", REQUIRED),
        Field("content", FieldType.TEXT, "The lines."),
        Field("comment", FieldType.TEXT, "What comments of the file start with.", "#"),
        *_ANCHORS,
        *_REST,
    ),
    undo=True,
    check=_block,
    example="block: {path: /etc/hosts, name: hosts, content: '10.0.0.5 omero1'}",
)
DECLARED = (LINE, BLOCK)

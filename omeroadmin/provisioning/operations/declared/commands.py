"""Operations that run programs or wait: command, wait-for."""

from __future__ import annotations

from typing import Any

from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType

_READ_ONLY = "It must only look: it is run for a plan, too. One that can't be run has not succeeded."


def _command(fields: dict[str, Any]) -> str:
    if not fields["arguments"]:
        return "arguments name the program"
    if fields["timeout"] is not None and fields["timeout"] <= 0:
        return "timeout is a number of seconds above 0"
    return ""


def _one_thing(fields: dict[str, Any]) -> str:
    if sum(bool(fields[name]) for name in ("port", "path", "command")) != 1:
        return "one of port, path and command is needed, and only one"
    if fields["timeout"] <= 0 or fields["interval"] <= 0:
        return "timeout and interval are numbers of seconds above 0"
    return ""


COMMAND = Declaration(
    "command",
    "A program that is run, each time unless `creates`, `unless` or `only_if` says that it need not be.",
    (
        Field(
            "arguments", FieldType.TEXTS, "Program and arguments; no shell. Everybody on the host sees them.", REQUIRED
        ),
        Field("user", FieldType.NAME, "Who runs it; by default who the agent runs as."),
        Field("directory", FieldType.PATH, "Where it runs.", "/"),
        Field("environment", FieldType.MAP, "Variables, beyond PATH, LANG and HOME."),
        Field("secret_environment", FieldType.MAP, "Variables that are never shown.", secret=True),
        Field("input", FieldType.TEXT, "What it reads from standard input.", secret=True),
        Field("creates", FieldType.PATH, "A path that it makes: it isn't run where that is there."),
        Field("unless", FieldType.TEXTS, f"A program and arguments: if that succeeds, it isn't run. {_READ_ONLY}"),
        Field("only_if", FieldType.TEXTS, f"A program and arguments: it is run only if that succeeds. {_READ_ONLY}"),
        Field("undo", FieldType.TEXTS, "A program and arguments that take it back; without secret_environment."),
        Field("timeout", FieldType.NUMBER, "Seconds after which it is killed.", 600),
    ),
    main="arguments",
    undo=True,
    check=_command,
    example="command: {arguments: [locale-gen, en_US.UTF-8], unless: [grep, -q, en_US, /etc/locale.gen]}",
)
WAIT_FOR = Declaration(
    "wait-for",
    "Waits until a port answers, a path is there or a program succeeds. A plan shows it where it would have to wait;"
    " it never counts as a change.",
    (
        Field("port", FieldType.PORT, "A TCP port that answers."),
        Field("address", FieldType.TEXT, "Where the port is, seen from the host.", "127.0.0.1"),
        Field("path", FieldType.PATH, "A path that is there."),
        Field("command", FieldType.TEXTS, "A program and arguments that succeed. It must only look."),
        Field("user", FieldType.NAME, "Who runs the program."),
        Field("state", FieldType.CHOICE, "`absent` waits for the opposite.", "present", choices=("present", "absent")),
        Field("timeout", FieldType.NUMBER, "Seconds after which it fails.", 60),
        Field("interval", FieldType.NUMBER, "Seconds between two looks.", 0.5),
    ),
    check=_one_thing,
    example="wait-for: {port: 5432}",
)
DECLARED = (COMMAND, WAIT_FOR)

"""A profile as text that sets the same properties again, secrets included, in several languages."""

from __future__ import annotations

import json
import shlex
import stat
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path

from omeroadmin.errors import AdminError, usage_error
from omeroadmin.profiles.desired.environment import variable_of
from omeroadmin.profiles.properties import format_properties
from omeroadmin.schema.catalog import KEY_PATTERN, is_secret
from omeroadmin.schema.validation import check_value
from omeroadmin.system.files import SECRET_MODE, file_error, write_atomically

_LONGEST_ARGUMENT = 100_000
"""Bytes of a value on a command line; Linux takes 131,071 in one argument."""


class ExportFormat(StrEnum):
    """What an export is written in."""

    PROPERTIES = "properties"
    YAML = "yaml"
    JSON = "json"
    ENV = "env"
    COMMANDS = "commands"


def export_text(values: Mapping[str, str], form: ExportFormat) -> str:
    """All properties, sorted by name.

    :raises AdminError: ``variable-impossible``, where a name can't be that of a variable
    """
    return _WRITERS[form](dict(sorted(values.items())))


def unloadable_names(values: Mapping[str, str]) -> list[str]:
    """Names that another tool has put into config.xml, and that can't be set by any of ours."""
    return [name for name in sorted(values) if not KEY_PATTERN.fullmatch(name)]


def forced_names(values: Mapping[str, str]) -> list[str]:
    """Properties whose values can be set with ``--force`` only."""
    return [name for name in sorted(values) if _is_misfit(name, values[name])]


def write_export(text: str, file: Path, config_xml: Path) -> None:
    """Write or replace a file in one step; only its owner can read it.

    :param config_xml: what must not be replaced
    :raises AdminError: ``export-misplaced``, ``file-not-written``
    """
    try:
        status = file.stat()
    except FileNotFoundError:
        status = None
    except OSError as error:
        raise file_error("written", file, error) from error
    # An atomic write would put a file in the place of /dev/null.
    if status is not None and not stat.S_ISREG(status.st_mode):
        raise usage_error(
            "export-misplaced", f"{file} is not a file", "name a file, or leave --output out and redirect stdout"
        )
    if file.resolve() == config_xml.resolve():
        raise usage_error("export-misplaced", f"{file} is the file that is exported", "name another file")
    write_atomically(file, text, mode=SECRET_MODE)


def _is_misfit(name: str, value: str) -> bool:
    try:
        check_value(name, value)
    except AdminError:
        return True
    return False


def _yaml(values: Mapping[str, str]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes values of several lines as such."""

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        lines = text.split("\n")
        readable = all(line.isprintable() for line in lines) and lines[0] == lines[0].lstrip()
        # YAML takes other characters for the end of a line too, and reads them as \n unless they are escaped.
        style = '"' if not readable else "|" if len(lines) > 1 else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent)
    if not values:
        return "{}\n"
    return str(yaml.dump(dict(values), Dumper=Dumper, allow_unicode=True, sort_keys=False, width=float("inf")))


def _json(values: Mapping[str, str]) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _environment(values: Mapping[str, str]) -> str:
    return "".join(f"{variable_of(name)}={shlex.quote(value)}\n" for name, value in values.items())


def _commands(values: Mapping[str, str]) -> str:
    return "".join(["#!/bin/sh\nset -eu\n", *(_command(name, value) for name, value in values.items())])


def _command(name: str, value: str) -> str:
    """One command; what is secret or long goes through stdin, because anybody can read arguments."""
    force = " --force" if _is_misfit(name, value) else ""
    if len(value.encode()) <= _LONGEST_ARGUMENT and (not value or not is_secret(name)):
        return f"omero config set{force} -- {shlex.quote(name)} {shlex.quote(value)}\n"
    if value == value.rstrip():
        return f"omero config set{force} --file - -- {shlex.quote(name)}{_here(value)}"
    # `set --file` takes white space at the end for that of the file.
    return f"omero config load -q{force} -{_here(format_properties({name: value}).removesuffix(chr(10)))}"


def _here(text: str) -> str:
    """Text as the stdin of a shell's command."""
    end = "END"
    while end in text.split("\n"):
        end += "_"
    return f" <<'{end}'\n{text}\n{end}\n"


_WRITERS: dict[ExportFormat, Callable[[Mapping[str, str]], str]] = {
    ExportFormat.PROPERTIES: format_properties,
    ExportFormat.YAML: _yaml,
    ExportFormat.JSON: _json,
    ExportFormat.ENV: _environment,
    ExportFormat.COMMANDS: _commands,
}

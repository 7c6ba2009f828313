"""``omero config export``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.boundary import say
from omeroadmin.cli.context import config_file
from omeroadmin.profiles.export import ExportFormat, export_text, forced_names, unloadable_names, write_export
from omeroadmin.profiles.store import read_known_profile


def command(
    form: Annotated[ExportFormat, typer.Option("--format", help="What to write.")] = ExportFormat.PROPERTIES,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write or replace a file, mode 0600.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Another profile than the active one.")
    ] = None,
) -> None:
    """Write a complete copy of all properties, secrets included.

    `omero config load -q` takes properties; `omero config apply` takes properties, YAML and JSON; with --from-env it
    takes variables that a shell has read from env and exported (set -a; . FILE); a shell runs commands.

    Example: omero config export -o properties.backup
    """
    config_xml = config_file()
    values = read_known_profile(config_xml, profile).values
    text = export_text(values, form)
    if output is None:
        # A copy is UTF-8 whatever the terminal's encoding is.
        sys.stdout.buffer.write(text.encode())
    else:
        write_export(text, output, config_xml)
    odd, forced = unloadable_names(values), forced_names(values)
    if odd:
        say(f"WARNING: other tools have set {', '.join(map(ascii, odd))}; no command of this one can")
    if forced and form is not ExportFormat.COMMANDS:
        say(f"WARNING: to be loaded with --force, because its value is not one of its kind: {', '.join(forced)}")

"""``omero config apply``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from omeroadmin.cli.backup_first import Backup, back_up
from omeroadmin.cli.config_options import WAIT_DEFAULT, Force, Wait
from omeroadmin.cli.context import config_file, require_instance
from omeroadmin.cli.input import read_input
from omeroadmin.cli.output import print_json, print_lines, say
from omeroadmin.cli.views.changes import difference_lines, warn_unknown
from omeroadmin.cli.views.history import changes_data
from omeroadmin.errors import ExitStatus, usage_error
from omeroadmin.profiles.desired.apply import apply_wishes, preview_wishes
from omeroadmin.profiles.desired.environment import environment_wishes
from omeroadmin.profiles.desired.sources import Language, find_sources, parse_source


def command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[FILE|DIR]...", help="What shall be set; - is stdin.")
    ] = None,
    from_env: Annotated[bool, typer.Option("--from-env", help="Take CONFIG_omero_db_host and the like too.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove what is not named.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would change, and change nothing.")] = False,
    detailed: Annotated[bool, typer.Option("--detailed-exitcode", help="Exit with 8 where something changes.")] = False,
    form: Annotated[
        Language | None, typer.Option("--format", help="Of files whose names don't say it; YAML for stdin.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
    backup: Backup = False,
    force: Force = False,
    wait: Wait = WAIT_DEFAULT,
) -> None:
    """Make the profile what files say, and print what changes.

    YAML, JSON and properties files, and directories of them in the order of their names; later ones win, and variables
    over files. In YAML, null removes a property; !file PATH and !env NAME are values from a file and a variable.

    All is changed, or nothing. Where all is so already, nothing is written and nothing printed.

    Example: omero config apply --dry-run omero.yaml
    """
    if not names and not from_env:
        raise usage_error("wishes-missing", "there is nothing to apply", "name files or directories, or add --from-env")
    config_xml = config_file()
    sources = find_sources(names or [], form)
    wishes = [wish for file in sources.files for wish in parse_source(file, read_input(file.name), os.environ)]
    wishes += environment_wishes(os.environ) if from_env else []
    if dry_run:
        changes = preview_wishes(config_xml, wishes, prune=prune, force=force)
    else:
        if backup and preview_wishes(config_xml, wishes, prune=prune, force=force):
            back_up(require_instance(), "config apply")
        changes = apply_wishes(config_xml, wishes, prune=prune, force=force, cause="config apply", wait=wait)
    if json:
        document = {"dry_run": dry_run, **changes_data(changes, show_secrets=False), "ignored": sources.ignored}
        print_json("config/apply", document)
    else:
        print_lines(*difference_lines(changes.properties))
    if dry_run and sources.ignored and not json:
        say(f"Not read, because of their endings: {', '.join(sources.ignored)}")
    warn_unknown(*(change.name for change in changes.properties if change.new is not None))
    if detailed and changes:
        raise typer.Exit(ExitStatus.CHANGES_PENDING)

"""``omero config get``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.completion import complete_key
from omeroadmin.cli.config_options import ShowPassword
from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_json, print_lines
from omeroadmin.cli.views.properties import properties_document, property_lines
from omeroadmin.profiles.reader import read_profile


def command(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY]...", help="Properties; all by default.", autocompletion=complete_key),
    ] = None,
    show_password: ShowPassword = False,
    resolve: Annotated[
        bool, typer.Option("--resolve", help="Expand ${...}; a named property that is unset has its default.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
) -> None:
    """Print properties that are set.

    One alone gives its bare value; several or all are printed as KEY=VALUE.

    In a listing secrets are masked; a single named one is not.

    Example: omero config get omero.data.dir
    """
    chosen = names or []
    profile = read_profile(config_file())
    show = show_password or len(chosen) == 1
    if resolve:
        from omeroadmin.profiles.resolve import resolved

        profile = resolved(profile, chosen, show_secrets=show)
    if as_json:
        print_json("config/get", properties_document(profile, chosen, show_secrets=show))
    else:
        print_lines(*property_lines(profile, chosen, show_secrets=show))

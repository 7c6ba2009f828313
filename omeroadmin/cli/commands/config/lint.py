"""``omero config lint``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import config_file, known_instance
from omeroadmin.cli.output import print_json, print_lines, terminal_width, wants_colour
from omeroadmin.cli.views.lint import lint_document, lint_lines
from omeroadmin.errors import ExitStatus


def command(
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings count as errors do.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Find what is wrong with the properties.

    Unknown names, wrong values, and what doesn't fit together: why it matters, and the command that mends it.

    Nothing is changed, no server is needed, and no secret is shown. The exit status is 1 if there is an error.

    Example: omero config lint --strict
    """
    from omeroadmin.profiles.reader import read_profile
    from omeroadmin.workflows.linting import lint_profile

    config_xml = config_file()
    report = lint_profile(known_instance(), read_profile(config_xml), config_xml)
    if as_json:
        print_json("lint", lint_document(report))
    else:
        print_lines(*lint_lines(report, width=terminal_width(), colour=wants_colour()))
    if report.fails(strict=strict):
        raise typer.Exit(ExitStatus.BUG)

"""``omero admin diagnostics``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance, user_directory
from omeroadmin.cli.output import print_json, print_lines
from omeroadmin.cli.views.diagnostics import diagnosis_document, diagnosis_lines
from omeroadmin.errors import ExitStatus


def command(
    no_logs: Annotated[bool, typer.Option("--no-logs", help="Don't read the logs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 if something has failed.")] = False,
) -> None:
    """Print what there is to know of an instance.

    Programs, servers, logs, environment, disk, certificate, backup.

    It also works while nothing runs. What is wrong is listed again at the end, with what to do.

    Example: omero admin diagnostics --no-logs
    """
    from omeroadmin.workflows.diagnostics import diagnose

    diagnosis = diagnose(require_instance(), os.environ, user_directory(), parse_logs=not no_logs)
    if as_json:
        print_json("diagnostics", diagnosis_document(diagnosis))
    else:
        print_lines(*diagnosis_lines(diagnosis))
    if strict and diagnosis.has_errors:
        raise typer.Exit(ExitStatus.BUG)

"""``omero admin status``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance


def command(
    node: Annotated[str, typer.Argument(metavar="[NODE]", help="The node that must answer.")] = "master",
    nodeonly: Annotated[bool, typer.Option("--nodeonly", help="Ask the node only, not the server behind it.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print nodes and servers as one JSON document.")] = False,
) -> None:
    """Exit with 0 if clients can use the server, else with 1.

    Prints nothing but what is wrong, on stderr.

    Example: omero admin status && echo up
    """
    from omeroadmin.cli.output import print_json, say
    from omeroadmin.workflows.availability import availability

    found = availability(require_instance(), node, node_only=nodeonly)
    if json:
        print_json("status", {"node": node, **vars(found)})
    else:
        for problem in found.problems:
            say(problem)
    if not found.up:
        raise typer.Exit(1)

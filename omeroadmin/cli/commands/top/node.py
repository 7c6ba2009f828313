"""``omero node``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.lifecycle_options import Wait


def command(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME] start|stop|status|restart", help="The node, and what to do.", show_default=False
        ),
    ],
    foreground: Annotated[bool, typer.Option("--foreground", help="start: run in this process until stopped.")] = False,
    wait: Wait = 300,
    json: Annotated[bool, typer.Option("--json", help="status: print one JSON document.")] = False,
) -> None:
    """Start and stop the grid's other nodes.

    A node runs the servers that omero.server.nodedescriptors, or the descriptor, gives it. Start the master first:
    omero admin start. NAME is by default $OMERO_NODE, else this host's name. status exits with 1 where it is down.

    Example: omero node node1 start
    """
    from omeroadmin.cli.node_words import Action, read_words
    from omeroadmin.cli.output import print_json, print_lines, say
    from omeroadmin.cli.views.grid import node_lines
    from omeroadmin.cli.views.lifecycle import StderrReporter
    from omeroadmin.workflows import nodes

    name, action = read_words(words, foreground=foreground)
    instance, reporter = require_instance(), StderrReporter()
    if action is Action.STATUS:
        status = nodes.node_status(instance, name)
        if json:
            print_json("node", vars(status))
        else:
            print_lines(*node_lines(status))
        raise typer.Exit(0 if status.up else 1)
    if action in (Action.STOP, Action.RESTART) and not nodes.stop_node(instance, name, wait, reporter):
        say(f"node {name} not running")
    if action in (Action.START, Action.RESTART):
        if foreground:
            from omeroadmin.system.notify import Notifier

            nodes.run_node(instance, name, wait, reporter, Notifier.from_environment())
        else:
            nodes.start_node(instance, name, wait, reporter)

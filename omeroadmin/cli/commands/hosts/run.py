"""``omero hosts run``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.hosts_options import AcceptNew, BecomeRoot, Forks, InventoryFile, Json, Limit, Local, Quiet


def command(
    words: Annotated[list[str], typer.Argument(metavar="-- PROGRAM ARGUMENT…", help="What to run.")],
    inventory: InventoryFile = None,
    limit: Limit = "",
    forks: Forks = 10,
    become: BecomeRoot = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, metavar="SECONDS", help="When the program is killed.")
    ] = 60,
    shell: Annotated[bool, typer.Option("--shell", help="PROGRAM is one line for sh.")] = False,
    accept_new: AcceptNew = False,
    local: Local = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Run a program on the hosts, at the same time.

    Each host is shown when it is through. Secrets of the inventory are hidden in what programs print.

    The exit status is 5 if the program failed anywhere, else 4 if a host could not be reached.

    Example: omero hosts run --limit web -- systemctl is-active nginx

    Example: omero hosts run --shell 'df -h /OMERO | tail -1'
    """
    from omeroadmin.cli.hosts_options import limited, whole_inventory, wished_rights
    from omeroadmin.cli.views.host_runs import print_run, print_runs_json, say_sum
    from omeroadmin.errors import ExitStatus
    from omeroadmin.workflows import run_on_hosts as running

    wish = running.RunWish(running.program_of(words, shell=shell), timeout, forks, wished_rights(become), accept_new)

    def show(run: running.HostRun) -> None:
        if not as_json and not (quiet and run.state is running.RunState.DONE):
            print_run(run)

    if local:
        runs = running.run_here(wish, show)
    else:
        found = whole_inventory(inventory)
        runs = running.run_on_hosts(found, limited(found, limit), wish, show)
    if as_json:
        print_runs_json(runs, wish)
    elif not quiet:
        say_sum(runs)
    if (status := running.run_status(runs)) is not ExitStatus.DONE:
        raise typer.Exit(status)

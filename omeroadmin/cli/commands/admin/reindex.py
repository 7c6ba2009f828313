"""``omero admin reindex``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.reindexing import Verbs, run_verb


def command(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CLASS]...", help="More types for --class.")] = None,
    run_all: Annotated[
        bool, typer.Option("--all", help="All of it: prepare, wipe, reset, finish, and wait until it is done.")
    ] = False,
    status: Annotated[bool, typer.Option("--status", help="How far the index is, and whether it is whole.")] = False,
    prepare: Annotated[bool, typer.Option("--prepare", help="Disable and stop the indexer.")] = False,
    wipe: Annotated[bool, typer.Option("--wipe", help="Remove the index. Nothing is found until it is new.")] = False,
    reset: Annotated[
        int | None, typer.Option("--reset", metavar="N", min=0, help="Index what comes after event N; 0: everything.")
    ] = None,
    finish: Annotated[bool, typer.Option("--finish", help="Enable and start the indexer.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Index all objects now, without the indexer.")] = False,
    events: Annotated[bool, typer.Option("--events", help="Index all that the event log names, now.")] = False,
    classes: Annotated[
        list[str] | None, typer.Option("--class", metavar="CLASS", help="Index all objects of a type now.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dryrun", "--dry-run", help="Count what would be done; alone: as with --events.")
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="With --all: don't wait for the indexer.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make the full-text index anew, which searches use.

    While that lasts, searches find less; everything else goes on. An interrupted --all goes on when it is run again.

    --full, --events and --class index in this process while the indexer is stopped: --prepare, --wipe, --full,
    --finish is the fastest way.

    Example: omero admin reindex --all
    """
    run_verb(
        Verbs(
            run_all=run_all,
            status=status,
            prepare=prepare,
            wipe=wipe,
            reset=reset,
            finish=finish,
            full=full,
            events=events,
            classes=(*(classes or ()), *(names or ())) if classes else (),
            stray=() if classes else tuple(names or ()),
            dry_run=dry_run,
            wait=not no_wait,
            yes=yes,
            as_json=as_json,
        )
    )

"""What ``omero admin reindex`` does with its options: one of them is the verb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from omeroadmin.errors import usage_error
from omeroadmin.schema.instance import Instance


@dataclass(frozen=True)
class Verbs:
    """The options.

    :param stray: arguments that belong to no option
    """

    run_all: bool
    status: bool
    prepare: bool
    wipe: bool
    reset: int | None
    finish: bool
    full: bool
    events: bool
    classes: tuple[str, ...]
    stray: tuple[str, ...]
    dry_run: bool
    wait: bool
    yes: bool
    as_json: bool

    def chosen(self) -> str:
        """The one verb.

        :raises AdminError: ``options-conflict``, ``verb-missing``
        """
        given = {
            "--all": self.run_all,
            "--status": self.status,
            "--prepare": self.prepare,
            "--wipe": self.wipe,
            "--reset": self.reset is not None,
            "--finish": self.finish,
            "--full": self.full,
            "--events": self.events,
            "--class": bool(self.classes),
        }
        names = [name for name, is_given in given.items() if is_given]
        if self.stray:
            raise usage_error("options-conflict", f"{self.stray[0]!r} belongs to no option", "types follow --class")
        if len(names) > 1:
            raise usage_error("options-conflict", f"{names[0]} and {names[1]} can't be had together", "add --help")
        if not names and not self.dry_run:
            raise usage_error("verb-missing", "say what is to be done", "omero admin reindex --status, or --help")
        verb = names[0] if names else "--events"
        if self.dry_run and verb in ("--prepare", "--reset", "--finish", "--status"):
            raise usage_error("options-conflict", f"{verb} has no --dryrun", "leave it out")
        return verb


def run_verb(verbs: Verbs) -> None:
    """Carry out the verb and show what came of it."""
    from omeroadmin.cli.context import require_instance

    verb = verbs.chosen()
    _ACTIONS[verb](require_instance(), verbs)


def _all(instance: Instance, verbs: Verbs) -> None:
    from omeroadmin.cli.confirm import agree_to
    from omeroadmin.cli.output import print_lines
    from omeroadmin.cli.views import reindex as view
    from omeroadmin.workflows.reindex_all import read_note, reindex_all

    lines = view.steps_ahead(read_note(instance))
    if verbs.dry_run:
        print_lines(*lines)
        return
    agree_to(lines, yes=verbs.yes, destructive=True)
    with view.progress() as listener:
        found = reindex_all(instance, listener, follow=verbs.wait)
    view.show_status(found, as_json=verbs.as_json)


def _status(instance: Instance, verbs: Verbs) -> None:
    import typer

    from omeroadmin.cli.views import reindex as view
    from omeroadmin.errors import ExitStatus
    from omeroadmin.workflows.reindex_all import status

    found = status(instance)
    view.show_status(found, as_json=verbs.as_json)
    if found.problems:
        raise typer.Exit(ExitStatus.BUG)


def _prepare(instance: Instance, _verbs: Verbs) -> None:
    from omeroadmin.cli.output import say
    from omeroadmin.workflows.reindex import prepare

    servers = prepare(instance)
    say(f"Disabled and stopped: {', '.join(servers)}" if servers else "The server isn't running; no indexer to stop")


def _finish(instance: Instance, _verbs: Verbs) -> None:
    from omeroadmin.cli.output import say
    from omeroadmin.workflows.reindex import finish

    say(f"Enabled and started: {', '.join(finish(instance))}")


def _wipe(instance: Instance, verbs: Verbs) -> None:
    from omeroadmin.cli.confirm import agree_to
    from omeroadmin.cli.output import print_lines, say
    from omeroadmin.cli.views.reindex import wipe_line
    from omeroadmin.workflows.reindex import plan_wipe, wipe

    plan = plan_wipe(instance)
    if verbs.dry_run or not plan.files:
        print_lines(wipe_line("would be removed", plan))
        return
    agree_to([wipe_line("will be removed", plan)], yes=verbs.yes, destructive=True)
    say(wipe_line("removed", wipe(plan)))


def _reset(instance: Instance, verbs: Verbs) -> None:
    from omeroadmin.cli.output import print_lines
    from omeroadmin.workflows.reindex import reset

    position = verbs.reset or 0
    before = reset(instance, position)
    print_lines(f"Value reset to {position}. Was {before}")


def _now(instance: Instance, verbs: Verbs) -> None:
    from omeroadmin.cli.views import reindex as view
    from omeroadmin.workflows.reindex_foreground import ForegroundWish, index_now

    what = "full" if verbs.full else "class" if verbs.classes else "events"
    wish = ForegroundWish(what, verbs.classes, verbs.dry_run)
    with view.progress() as listener:
        indexed = index_now(instance, wish, listener)
    view.show_indexed(wish, indexed, as_json=verbs.as_json)


_ACTIONS: dict[str, Callable[[Instance, Verbs], None]] = {
    "--all": _all,
    "--status": _status,
    "--prepare": _prepare,
    "--finish": _finish,
    "--wipe": _wipe,
    "--reset": _reset,
    "--full": _now,
    "--events": _now,
    "--class": _now,
}

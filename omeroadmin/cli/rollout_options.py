"""Options that the commands share which plan and carry out roll-outs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omeroadmin.cli.hosts_options import inventory_path, refuse_empty, wished_rights
from omeroadmin.errors import ExitStatus, usage_error

if TYPE_CHECKING:
    from omeroadmin.provisioning.rollout_choice import RolloutChoice
    from omeroadmin.workflows.rollout import Way

Playbooks = Annotated[
    list[str], typer.Argument(metavar="PLAYBOOK...", help="Files, or names of the package's own: site.yml.")
]
Tags = Annotated[
    str,
    typer.Option(
        "--tags", "-t", metavar="TAG,…", callback=refuse_empty, help="Only operations with one of these tags."
    ),
]
SkipTags = Annotated[
    str,
    typer.Option("--skip-tags", metavar="TAG,…", callback=refuse_empty, help="No operations with one of these tags."),
]
Variables = Annotated[
    Path | None, typer.Option("--vars", metavar="FILE", help="YAML file with values of variables; above the inventory.")
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Value of a variable; above all others.")
]
Detailed = Annotated[bool, typer.Option("--detailed-exitcode", help="Exit with 8 where something changes.")]
Serial = Annotated[
    int, typer.Option("--serial", min=0, metavar="N", help="So many hosts at a time; a failure among them ends it.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


def rollout_choice(
    playbooks: list[str],
    inventory: Path | None,
    limit: str,
    tags: str,
    skip_tags: str,
    variables: Path | None,
    settings: list[str] | None,
    *,
    local: bool,
    become: bool | None,
) -> RolloutChoice:
    """What was asked for."""
    from omeroadmin.provisioning.rollout_choice import RolloutChoice

    return RolloutChoice(
        tuple(playbooks),
        inventory if local else inventory_path(inventory),
        local,
        limit,
        _words(tags),
        _words(skip_tags),
        variables,
        tuple(settings or ()),
        wished_rights(become),
    )


def way_of(choice: RolloutChoice, forks: int, *, accept_new: bool) -> Way:
    """How the hosts are reached."""
    from omeroadmin.workflows.rollout import Way

    return Way(choice.local, forks, accept_new, choice.become)


def rollouts_directory() -> Path:
    """Where journals of runs are: below ``OMERO_USERDIR``, else in the user's state directory."""
    text = os.environ.get("OMERO_USERDIR", "")
    return Path(text) / "rollouts" if text else Path.home() / ".local" / "state" / "omero" / "rollouts"


def finish(status: ExitStatus, *, changes: bool, detailed: bool) -> None:
    """End a command with the status of its hosts, or that of changes."""
    if status is ExitStatus.DONE and changes and detailed:
        status = ExitStatus.CHANGES_PENDING
    if status is not ExitStatus.DONE:
        raise typer.Exit(status)


def require_answer(look: str, *, yes: bool) -> None:
    """There is somebody to ask, or no need to.

    :param look: the command that shows what would be done
    :raises AdminError: ``confirmation-needed``
    """
    import sys

    if not yes and not sys.stdin.isatty():
        raise usage_error(
            "confirmation-needed",
            "this changes hosts, and there is no terminal to ask at",
            f"look at it with {look}, then add --yes",
        )


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))

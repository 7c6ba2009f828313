"""Progress on a terminal; nothing elsewhere, so that cron jobs and logs stay quiet."""

from __future__ import annotations

import sys

from omeroadmin.cli.output import say
from omeroadmin.steps.apply import Listener
from omeroadmin.steps.plan import Step


def step_listener() -> Listener | None:
    """What tells of a plan's steps while they are carried out; ``None`` off a terminal."""
    return _tell if sys.stderr.isatty() else None


def _tell(number: int, count: int, step: Step) -> None:
    say(f"[{number}/{count}] {step.describe()}")

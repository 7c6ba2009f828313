"""Carries a plan out, step by step, telling a listener what happens."""

from __future__ import annotations

from collections.abc import Callable

from omeroadmin.steps.plan import Plan, Step
from omeroadmin.system.host import Host

Listener = Callable[[int, int, Step], None]
"""Called before each step with its number from 1, the number of steps, and the step."""


def apply_plan(plan: Plan, host: Host, listener: Listener | None = None) -> int:
    """Carry out all steps; the first failure ends it.

    :return: number of steps carried out
    :raises AdminError: of the step that failed
    """
    for number, step in enumerate(plan.steps, start=1):
        if listener is not None:
            listener(number, len(plan.steps), step)
        step.apply(host)
    return len(plan.steps)

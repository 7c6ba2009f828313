"""Facts of hosts for people and programs."""

from __future__ import annotations

from collections.abc import Sequence

from omeroadmin.cli.output import cell, print_json, print_lines
from omeroadmin.cli.views.rollouts import say_problem
from omeroadmin.workflows.rollout import HostFacts


def print_facts(found: Sequence[HostFacts]) -> None:
    """Each host with its facts; a line on stderr for each that could not be asked."""
    for host in found:
        print_lines(f"{host.host}:")
        width = max((len(name) for name in host.facts), default=0)
        print_lines(*(f"  {name.ljust(width)} = {cell(value)}" for name, value in host.facts.items()))
    for host in found:
        if host.problem is not None:
            say_problem(host.host, host.problem)


def print_facts_json(found: Sequence[HostFacts]) -> None:
    """All of them."""
    print_json("hosts/base", {"hosts": found})
    for host in found:
        if host.problem is not None:
            say_problem(host.host, host.problem)

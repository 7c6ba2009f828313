"""Roll-outs on hosts that are agents of this machine, each with a home and a directory of its own."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.provisioning.inventory import InventoryHost
from omeroadmin.provisioning.launch import AgentChannel, Rights
from omeroadmin.provisioning.local_streams import LocalStreams
from omeroadmin.provisioning.rollout_choice import RolloutChoice, read_scope
from omeroadmin.provisioning.rollout_plan import HostPlan, RolloutPlan
from omeroadmin.provisioning.rollout_report import Done, HostReport, RolloutReport
from omeroadmin.provisioning.session import AgentSession
from omeroadmin.workflows.rollout import Rollout, Way
from tests.support.agents import with_kept_state


class Heard:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    def connected(self, host: str) -> None:
        """Heard."""

    def planned(self, plan: HostPlan) -> None:
        """Heard."""

    def started(self, host: str, title: str, number: int, count: int) -> None:
        """Heard."""
        self.titles.append(f"{host} {number}/{count} {title}")

    def done(self, host: str, done: Done) -> None:
        """Heard."""

    def halting(self) -> None:
        """Heard."""

    def ended(self, report: HostReport) -> None:
        """Heard."""


@dataclass
class Site:
    """Hosts h1, h2 …, whose playbooks may use ``{{ root }}``, a directory of each.

    :param variables: of all hosts, as YAML
    """

    directory: Path
    count: int = 2
    variables: str = ""
    heard: Heard = field(default_factory=Heard)

    def __post_init__(self) -> None:
        for name in self.names:
            (self.directory / name / "home").mkdir(parents=True)
        hosts = "".join(f"  {name}: {{variables: {{root: {self.directory / name}}}}}\n" for name in self.names)
        groups = f"groups: {{servers: {{hosts: [{', '.join(self.names)}]}}, first: {{hosts: h1}}}}\n"
        text = f"{groups}variables: {{{self.variables}}}\nhosts:\n{hosts}"
        (self.directory / "hosts.yml").write_text(text)

    @property
    def names(self) -> list[str]:
        """Of the hosts."""
        return [f"h{number}" for number in range(1, self.count + 1)]

    @property
    def journals(self) -> Path:
        """Where journals are."""
        return self.directory / "journals"

    def file(self, host: str, name: str) -> Path:
        """A file of a host."""
        return self.directory / host / name

    def playbook(self, operations: str, *, head: str = "", name: str = "p") -> Path:
        """Write a playbook of stages; ``root`` is declared."""
        path = self.directory / f"{name}.yml"
        text = f"playbook: {name}\ntitle: T\nhosts: servers\n{textwrap.dedent(head).rstrip()}\n"
        if "variables:" not in text:
            text += "variables:\n"
        text += "  root: {type: path, description: D., required: true}\n"
        path.write_text(text + "stages:\n" + textwrap.indent(textwrap.dedent(operations), "  "))
        return path

    def choice(self, *playbooks: Path, **more: object) -> RolloutChoice:
        """What is asked for."""
        return RolloutChoice(tuple(map(str, playbooks)), self.directory / "hosts.yml", **more)  # type: ignore[arg-type]

    def open(self, host: InventoryHost) -> AgentSession:
        """An agent in the host's own home."""
        home = self.directory / host.name / "home"
        before = [*with_kept_state(home / "state"), "env", f"HOME={home}"]
        return AgentSession(
            AgentChannel(host.name, sys.executable, Rights(), lambda words: LocalStreams([*before, *words]))
        )

    def plan(self, choice: RolloutChoice, environment: Mapping[str, str] | None = None) -> RolloutPlan:
        """What would change."""
        scope = read_scope(choice, environment or {})
        with Rollout(scope.hosts, scope.inventory, Way(), self.heard, self.open) as rollout:
            return rollout.plan(scope.playbooks, digest=True)

    def apply(
        self, choice: RolloutChoice, serial: int = 0, environment: Mapping[str, str] | None = None
    ) -> RolloutReport:
        """Change it."""
        scope = read_scope(choice, environment or {})
        with Rollout(scope.hosts, scope.inventory, Way(), self.heard, self.open) as rollout:
            rollout.plan(scope.playbooks)
            return rollout.apply(scope.playbooks, self.journals, serial)


def states(report: RolloutReport | RolloutPlan) -> dict[str, str]:
    """What became, or would become, of each host."""
    return {host.host: host.state.value for host in report.hosts}


def words(report: RolloutReport, host: str) -> list[str]:
    """What was changed on a host."""
    found = next(one for one in report.hosts if one.host == host)
    return [text for done in found.changes for text in done.words]

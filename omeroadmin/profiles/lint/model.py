"""What a check of a profile works on and comes to: facts, rules, findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from omeroadmin.schema.kinds import TRUE_WORDS


class Severity(StrEnum):
    """How bad a finding is, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    ADVICE = "advice"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    :param code: of the rule, stable
    :param names: properties concerned; empty where it is the file itself
    :param problem: what is wrong, with values; secrets are never in it
    :param reason: why it matters
    :param command: what mends it, to be copied
    """

    code: str
    severity: Severity
    names: tuple[str, ...]
    problem: str
    reason: str
    command: str


@dataclass(frozen=True)
class Fault:
    """What a rule has found: a finding without what the rule says of all of its findings."""

    names: tuple[str, ...]
    problem: str
    command: str


@dataclass(frozen=True)
class PlaceFacts:
    """What there is at a path, as far as this user may look.

    :param exists: ``None`` where this user can't know
    :param readable: for the user who runs the server; ``None`` where that is another one than this
    :param writable: the same, for new files where it is a directory
    :param is_own: whether it belongs to that user
    :param mode: permission bits
    """

    exists: bool | None
    is_directory: bool = False
    is_own: bool = False
    readable: bool | None = None
    writable: bool | None = None
    mode: int = 0


@dataclass(frozen=True)
class LintFacts:
    """All that rules may know. Nothing here is looked up while they run.

    :param explicit: what the profile sets, as it stands there
    :param values: what is in force, defaults among it, references expanded; without what refers to itself
    :param config_xml: the file
    :param command: how the commands that mend begin, e.g. ``omero config``
    :param omerodir: the instance, where one is known
    :param user: name of the user who owns the file, and most likely runs the server
    :param places: what is at the paths of :func:`~omeroadmin.profiles.lint.places.places` and at ``config_xml``
    :param templates: servers that descriptors may name; whether one needs an index
    :param heaps: bytes of heap of each service that a server of the grid has; empty where the settings are wrong
    :param heap_problem: what is wrong with the memory settings
    :param memory: bytes of the machine
    :param connections: that PostgreSQL accepts, where that is known
    :param local_hosts: names and addresses of this machine
    :param variables: names in the environment
    """

    explicit: Mapping[str, str] = field(repr=False)
    values: Mapping[str, str] = field(repr=False)
    config_xml: Path = Path("config.xml")
    command: str = "omero config"
    omerodir: Path | None = None
    user: str = "omero-server"
    places: Mapping[Path, PlaceFacts] = field(default_factory=dict, repr=False)
    templates: Mapping[str, bool] = field(default_factory=dict)
    heaps: Mapping[str, int] = field(default_factory=dict)
    heap_problem: str = field(default="", repr=False)
    memory: int | None = None
    connections: int | None = None
    local_hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1", "::1"})
    variables: frozenset[str] = frozenset()

    def text(self, name: str) -> str:
        """The value in force without white space around it; empty where it is not to be had."""
        return self.values.get(name, "").strip()

    def given(self, name: str) -> str:
        """The same, where OMERO.web's word ``None`` is no value."""
        text = self.text(name)
        return "" if text == "None" else text

    def flag(self, name: str) -> bool:
        """Whether a value in force reads as true."""
        return self.text(name).lower() in TRUE_WORDS

    def number(self, name: str) -> int | None:
        """The value in force as a number; ``None`` where it isn't any."""
        return whole_number(self.text(name))

    def port(self, name: str) -> str:
        """The text that ``omero.ports.prefix`` and a port make."""
        return self.text("omero.ports.prefix") + self.text(f"omero.ports.{name}")

    def transports(self) -> list[str]:
        """What clients may connect by."""
        return [word.strip() for word in self.text("omero.client.icetransports").split(",") if word.strip()]

    def is_here(self, host: str) -> bool:
        """Whether a host is this machine."""
        return host.lower() in self.local_hosts or host.startswith("127.")


def whole_number(text: str) -> int | None:
    """A text as a number of sensible length; ``None`` where it isn't any."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 19 else None


@dataclass(frozen=True)
class Rule:
    """What is looked for.

    :param code: kebab-case, stable
    :param reason: why it matters, one line
    :param check: finds the faults
    """

    code: str
    severity: Severity
    reason: str
    check: Callable[[LintFacts], Iterator[Fault]]


@dataclass(frozen=True)
class LintReport:
    """All findings of a profile, the worst first.

    :param profile: its name
    :param config_xml: the file
    :param properties: how many properties the profile sets
    """

    profile: str
    config_xml: Path
    properties: int
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        """How many findings are of a severity."""
        return sum(finding.severity is severity for finding in self.findings)

    def fails(self, *, strict: bool = False) -> bool:
        """Whether there is an error or, where it is strict, a warning."""
        return bool(self.count(Severity.ERROR) or (strict and self.count(Severity.WARNING)))

"""Units of systemd as data, and their commands without systemd."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

UNITS = Path(__file__).resolve().parents[2] / "contrib" / "systemd"


@dataclass(frozen=True)
class Unit:
    """A unit's file.

    :param lines: section, name and value of each line
    """

    name: str
    lines: tuple[tuple[str, str, str], ...]

    def values(self, name: str) -> list[str]:
        """All values of a name."""
        return [value for _, found, value in self.lines if found == name]

    @property
    def environment(self) -> dict[str, str]:
        """Variables that the unit sets."""
        return dict(value.split("=", 1) for value in self.values("Environment"))

    @property
    def command(self) -> list[str]:
        """The words of ``ExecStart``."""
        [command] = self.values("ExecStart")
        return shlex.split(command)


def read_unit(path: Path, places: dict[str, str] | None = None) -> Unit:
    """Read a unit.

    :param places: what stands instead of the paths of the manual
    """
    text = path.read_text()
    for usual, ours in (places or {}).items():
        text = text.replace(usual, ours)
    section, lines = "", []
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            lines.append((section, name, value))
    return Unit(path.name, tuple(lines))

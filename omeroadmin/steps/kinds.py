"""The steps that all domains share. Domains add their own beside their plans."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.system.host import Host


@dataclass(frozen=True)
class MakeDirectory:
    """Create a directory, or give an existing one its mode."""

    path: Path
    mode: int

    def describe(self) -> str:
        """One line for the plan."""
        return f"make directory {self.path} (mode {self.mode:04o})"

    def apply(self, host: Host) -> None:
        """Make the change."""
        host.make_directory(self.path, mode=self.mode)


@dataclass(frozen=True)
class WriteFile:
    """Write a whole file in one step.

    :param what: what the file is, for the plan
    """

    path: Path
    content: bytes = field(repr=False)
    mode: int | None = None
    what: str = ""

    def describe(self) -> str:
        """One line for the plan; the content may be secret and is not shown."""
        note = f" ({self.what})" if self.what else ""
        return f"write {self.path}{note}"

    def apply(self, host: Host) -> None:
        """Make the change."""
        host.write(self.path, self.content, mode=self.mode)

"""The seam between a plan and a machine: this one or, later, one behind SSH."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from omeroadmin.system.process import Completed


@dataclass(frozen=True)
class FileFacts:
    """What a host says of a path.

    :param is_directory: directory, or symbolic link to one
    :param mode: permission bits
    :param size: bytes
    """

    is_directory: bool
    mode: int
    size: int


class Host(Protocol):
    """A machine on which steps are carried out."""

    def run(
        self,
        arguments: Sequence[str],
        *,
        timeout: float,
        environment: Mapping[str, str] | None = None,
        input_text: str | None = None,
    ) -> Completed:
        """Run a program to its end."""
        ...

    def facts(self, path: Path) -> FileFacts | None:
        """What a path is; ``None`` where there is nothing."""
        ...

    def read(self, path: Path) -> bytes:
        """Content of a file."""
        ...

    def write(self, path: Path, content: bytes, *, mode: int | None) -> None:
        """Replace a file's content in one step."""
        ...

    def make_directory(self, path: Path, *, mode: int) -> None:
        """Create a directory with exactly this mode."""
        ...

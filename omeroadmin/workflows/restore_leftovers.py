"""What a killed restore leaves in the instance it was making: programs that run on, files that were being written."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.schema.instance import Instance
from omeroadmin.system import files
from omeroadmin.system.host import Host
from omeroadmin.system.scratch import end_processes


@dataclass(frozen=True)
class RemoveLeftovers:
    """End what a killed restore left running, and remove the files that it was writing."""

    instance: Instance

    def describe(self) -> str:
        """One line for the plan."""
        return f"end what the interrupted restore has left running in {self.instance.embedded_database}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - processes of the machine where this runs
        """Make the change.

        :raises AdminError: ``processes-not-ended``, ``file-not-removed``
        """
        # A half-made cluster, or one that a program of the killed restore is about to start.
        end_processes(self.instance.embedded_database)
        try:
            for directory in (self.instance.etc, self.instance.var):
                for path in directory.rglob(files.TEMPORARY_PATTERN):
                    path.unlink(missing_ok=True)
            # An opened dump, for one.
            for path in self.instance.temporary_directory.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink()
        except OSError as error:
            raise files.file_error("removed", self.instance.var, error) from error


def is_vacant(place: Path) -> bool:
    """Whether there is nothing but what a restore makes before it notes that it has begun: empty directories."""
    return all(path.is_dir() or path.match(files.TEMPORARY_PATTERN) for path in place.rglob("*"))

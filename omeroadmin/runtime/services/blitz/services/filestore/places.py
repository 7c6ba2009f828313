"""Where the content of an original file is on the server's disk."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.repository.layout import original_file_path
from omeroadmin.runtime.services.blitz.database import Row
from omeroadmin.runtime.services.blitz.services.repositories import Repositories
from omeroadmin.system import files

LOG_MIMETYPE = "application/omero-log-file"
"""Of the log that is beside an imported fileset."""
NO_CONTENT = ("Directory", "Repository")
"""Mimetypes of rows that stand for directories."""


class Places:
    """Paths by the columns of a row.

    :param data_directory: ``omero.data.dir``
    """

    def __init__(self, data_directory: Path, repositories: Repositories) -> None:
        self.data_directory = data_directory
        self.repositories = repositories

    def of(self, row: Row) -> Path | None:
        """The file; ``None`` where it is in a repository that isn't one of this server's.

        :param row: ``id``, ``path``, ``name`` and ``repo`` of an original file
        :raises AdminError: ``path-escapes``
        """
        if row["repo"] is None:
            return original_file_path(self.data_directory, row["id"])
        root = self.repositories.root_of(row["repo"])
        return None if root is None else files.inside(root, f"{row['path']}/{row['name']}".lstrip("/"))

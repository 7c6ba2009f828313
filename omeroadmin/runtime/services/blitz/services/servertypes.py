"""Mimetypes that decide what the server does with a file; pure.

Nobody else gives them: a table, for one, is opened by a library that must not meet what a stranger has made.
"""

from __future__ import annotations

from omeroadmin.runtime.services.blitz.services.problems import invalid

TABLES = "OMERO.tables"
DIRECTORIES = ("Directory", "Repository")
"""Of rows that stand for directories and have no content."""


def require_clients_mimetype(mimetype: str) -> None:
    """Make sure that a mimetype isn't one that only the server gives.

    :raises AdminError: ``request-invalid``
    """
    if mimetype.strip() in (TABLES, *DIRECTORIES):
        raise invalid(f"only the server makes files of type {mimetype.strip()}")

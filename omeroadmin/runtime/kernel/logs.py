"""Each server's log, in the two line formats that OMERO's Java and Python servers have."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

from omeroadmin.schema.settings import Settings

JAVA_KINDS = frozenset({"Blitz", "Indexer", "PixelData"})
"""Servers that are Java programs in OMERO; tools that read their logs expect logback's line format."""

_DEFAULT_SIZE = 5_000_000
_DEFAULT_NUMBER = 9
_JAVA_LEVELS = {"WARNING": "WARN", "CRITICAL": "ERROR"}
_PYTHON_FORMAT = "%(asctime)s %(levelname)-5.5s [%(name)40s] (%(threadName)-10s) %(message)s"


class JavaFormatter(logging.Formatter):
    """``2018-07-02 15:58:37,195 INFO  [    ome.services.util.ReadOnlyStatus] (      main) message``."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """One line without a traceback."""
        level = _JAVA_LEVELS.get(record.levelname, record.levelname)
        thread = "main" if record.threadName == "MainThread" else str(record.threadName)
        return f"{record.asctime} {level:<5} [{record.name[-40:]:>40}] ({thread[-10:]:>10}) {record.message}"

    def usesTime(self) -> bool:  # noqa: N802
        """Lines begin with the time."""
        return True


def formatter_of(kind: str) -> logging.Formatter:
    """The line format of a kind of server."""
    return JavaFormatter() if kind in JAVA_KINDS else logging.Formatter(_PYTHON_FORMAT)


def configure(kind: str, path: Path, settings: Settings) -> logging.Handler:
    """Send everything that is logged in this process to the server's log.

    :param kind: chooses the line format
    :param path: the log; rotated to ``.1``, ``.2`` …
    :param settings: ``omero.logging.logsize`` (bytes), ``omero.logging.lognum`` and ``omero.logging.level``
    :return: the handler, to be closed at the end
    """
    size = settings.number("omero.logging.logsize") if settings.is_set("omero.logging.logsize") else _DEFAULT_SIZE
    number = settings.number("omero.logging.lognum") if settings.is_set("omero.logging.lognum") else _DEFAULT_NUMBER
    level = settings.number("omero.logging.level") if settings.is_set("omero.logging.level") else logging.INFO
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=size, backupCount=number, encoding="utf-8")
    handler.setFormatter(formatter_of(kind))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn", "asyncio", "tifffile", "psycopg.pool"):
        logging.getLogger(noisy).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)
    return handler

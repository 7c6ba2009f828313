"""MonitorServer: watches the users' folders in DropBox and says which files have settled."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.runtime.services.monitorserver.publisher import Publisher
from omeroadmin.runtime.services.monitorserver.watch import DroppedFile, Settling
from omeroadmin.system import files

SETTLE_SETTING = "omero.dropbox.settle"
"""Seconds without a change until a file counts as whole."""
_LOOK_SECONDS = 0.5
_SCAN_SECONDS = 60.0
_SCAN_ALONE_SECONDS = 3.0


def run(context: ServiceContext) -> int:
    """Watch until the server shall stop."""
    root = context.settings.data_directory / "DropBox"
    files.make_directory(root, mode=root.stat().st_mode & 0o7777 if root.is_dir() else 0o750)
    settling = Settling(root, float(context.settings.number(SETTLE_SETTING)))
    lock = threading.Lock()

    def present() -> tuple[DroppedFile, ...]:
        with lock:
            return settling.settled

    publisher = Publisher(context.socket_path(), present)

    def publish(file: DroppedFile) -> None:
        context.log.info("%s has settled with %d bytes", file.path, file.size)
        context.health.count("settled")
        publisher.publish(file)

    try:
        watch(root, settling, lock, context.stop, publish, on_watching=context.health.ready)
    finally:
        publisher.close()
    return 0


class _Paths(FileSystemEventHandler):
    """Collects the paths that the system tells of."""

    def __init__(self) -> None:
        self.paths: queue.SimpleQueue[str] = queue.SimpleQueue()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Remember what changed."""
        if event.event_type in ("opened", "closed_no_write"):
            return
        for path in (event.src_path, event.dest_path):
            if path:
                self.paths.put(path if isinstance(path, str) else bytes(path).decode("utf-8", "surrogateescape"))


def watch(
    root: Path,
    settling: Settling,
    lock: threading.Lock,
    stop: Stop,
    publish: Callable[[DroppedFile], None],
    *,
    on_watching: Callable[[], None],
) -> None:
    """Follow a directory until the server shall stop; a full look now and then makes up for missed events.

    :param lock: held while ``settling`` changes
    :param publish: called for each file that has settled
    :param on_watching: called when no change can be missed any more
    """
    handler = _Paths()
    # A folder that appears while its parent is looked through is met twice: watchdog warns of it, and follows it once.
    warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
    observer = Observer()
    observer.schedule(handler, str(root), recursive=True)
    scan_seconds = _SCAN_SECONDS
    try:
        observer.start()
    except OSError as error:
        logging.getLogger("omero.monitorserver").warning(
            "%s can't be watched (%s): looking every %g s instead", root, error.strerror, _SCAN_ALONE_SECONDS
        )
        scan_seconds = _SCAN_ALONE_SECONDS
    next_scan = 0.0
    try:
        on_watching()
        while not stop.requested:
            now = time.monotonic()
            with lock:
                if now >= next_scan:
                    settling.scan(now)
                    next_scan = now + scan_seconds
                with contextlib.suppress(queue.Empty):
                    while True:
                        settling.look(handler.paths.get_nowait(), now)
                settled = settling.newly_settled(now)
            for file in settled:
                publish(file)
            stop.wait(_LOOK_SECONDS)
    finally:
        if observer.is_alive():
            observer.stop()
            observer.join(5)

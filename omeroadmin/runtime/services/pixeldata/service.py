"""PixelData: makes what clients shall not wait for: smallest and largest values, pyramids and thumbnails."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg

from omeroadmin.database.pixeldata import ACTION, POSITION_KEY
from omeroadmin.errors import AdminError, ExitStatus, failed_error
from omeroadmin.repository import layout, planes, pyramids
from omeroadmin.repository.images import ImageMetadata, read_metadata
from omeroadmin.runtime.kernel.client import InternalClient
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.eventlog import Entry, EventLog, database_trouble
from omeroadmin.runtime.kernel.schedule import Schedule, ticks
from omeroadmin.runtime.kernel.trouble import Trouble
from omeroadmin.runtime.services.pixeldata.attempts import Attempts
from omeroadmin.runtime.services.pixeldata.source import Source, source_of
from omeroadmin.system import files

_ATTEMPTS = 3
_FINAL = frozenset({"unreadable-image", "path-escapes"})
"""Failures that another attempt doesn't change."""
_FIRST_PAUSE = 0.5
_OLDER_LOADER = "pixelDataPersistentEventLogLoader"


def run(context: ServiceContext) -> int:
    """Work until the server shall stop."""
    schedule = Schedule(context.settings.text("omero.pixeldata.cron"))
    worker = PixelData(context)
    for is_due in ticks(schedule, context.stop):
        worker.look(is_due=is_due)
    worker.close()
    return 0


class PixelData:
    """Follows the eventlog's PIXELDATA rows."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._settings = context.settings
        self._eventlog = EventLog(context, POSITION_KEY)
        self._local = threading.local()
        self._trouble = Trouble(context)
        self._is_known = False
        self._attempts = Attempts(context.instance.temporary_directory / f"{context.server_id}.attempts")
        self._batch_size = max(1, context.settings.number("omero.pixeldata.batch"))
        is_older = context.settings.text("omero.pixeldata.event_log_loader").strip() == _OLDER_LOADER
        self._threads = 1 if is_older else max(1, context.settings.number("omero.pixeldata.threads"))
        self._rounds = max(1, context.settings.number("omero.pixeldata.repetitions")) if is_older else None
        self._thumbnail_size = context.settings.number("omero.client.browser.thumb_default_size")
        self._tile = pyramids.TileSize.from_settings(context.settings)

    def look(self, *, is_due: bool) -> None:
        """See whether all is well and, if it is time, deal with everything that is new.

        What doesn't answer is asked again later.
        """
        try:
            if is_due:
                self._catch_up()
            elif self._trouble.is_noted or not self._is_known:
                self._eventlog.position()
                self._trouble.clear()
                self._is_known = True
        except psycopg.Error as error:
            self._trouble.note(database_trouble(error))
            self._eventlog.close()
        except AdminError as error:
            if error.exit_status is not ExitStatus.UNREACHABLE:
                raise
            # Without Blitz nothing can be recorded; the row stays the next one.
            self._trouble.note(error.message)

    def _catch_up(self) -> None:
        position = self._eventlog.position()
        if not self._trouble.is_noted:
            self._context.health.ready()
        rounds = 0
        while not self._context.stop.requested:
            batch = self._eventlog.batch(position, self._batch_size, (ACTION,))
            if not self._deal_with_all(batch.entries):
                return
            if batch.end != position:
                self._eventlog.store(batch.end)
                position = batch.end
            rounds += 1
            if batch.is_last or rounds == self._rounds:
                break
        self._trouble.clear()
        self._context.health.note("position", position)

    def _deal_with_all(self, entries: Sequence[Entry]) -> bool:
        """Process rows, several at once; the position follows the first that isn't dealt with.

        :return: whether all are dealt with; not where the server shall stop
        """
        # Of several requests for the same pixels only the last is done: two would be in each other's way.
        last = {entry.entity_id: entry.id for entry in entries}
        wanted = [entry for entry in entries if last[entry.entity_id] == entry.id]
        alone = [entry for entry in wanted if entry.id in self._attempts.left]
        if alone or self._threads == 1:
            # One of these may have ended the process: whichever it is must not take others with it.
            for entry in wanted:
                if not self._deal_with(entry):
                    return False
                self._eventlog.store(entry.id)
            return True
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="pixels")
        try:
            running = [(entry, pool.submit(self._deal_with, entry)) for entry in wanted]
            for entry, future in running:
                if not future.result():
                    return False
                self._eventlog.store(entry.id)
        finally:
            pool.shutdown(cancel_futures=True)
        return True

    @property
    def _blitz(self) -> InternalClient:
        """This thread's client."""
        if not hasattr(self._local, "client"):
            self._local.client = InternalClient(self._context.instance, self._context.endpoint)
        client: InternalClient = self._local.client
        return client

    def _deal_with(self, entry: Entry) -> bool:
        """Process one row; what fails is tried again a few times, then left, so that the others come to their turn.

        :return: whether the row is dealt with; not where the server shall stop
        """
        pause = _FIRST_PAUSE
        while not self._context.stop.requested:
            attempt = self._attempts.begin(entry.id)
            if attempt > _ATTEMPTS:
                return self._give_up(entry, "the server ended each time that it tried")
            try:
                self._process(entry.entity_id)
            except AdminError as error:
                if error.exit_status is ExitStatus.UNREACHABLE:
                    self._attempts.end(entry.id)
                    raise
                if error.code == "cancelled":
                    self._attempts.end(entry.id)
                    return False
                if attempt == _ATTEMPTS or error.code in _FINAL:
                    return self._give_up(entry, error.message)
                self._context.log.warning("Pixels:%d attempt %d: %s", entry.entity_id, attempt, error.message)
            else:
                self._attempts.end(entry.id)
                self._context.health.count("processed")
                return True
            self._context.stop.wait(pause)
            pause *= 2
        return False

    def _give_up(self, entry: Entry, why: str) -> bool:
        self._attempts.end(entry.id)
        self._context.health.count("failed")
        self._context.log.error("Pixels:%d is left as it is: %s", entry.entity_id, why)
        return True

    def _process(self, pixels_id: int) -> None:
        source = source_of(self._eventlog.connection, self._settings.managed_repository, pixels_id)
        if source is None:
            # Deleted before its turn came: nothing to worry about.
            self._context.log.info("Pixels:%d has no file any more", pixels_id)
            return
        metadata = self._metadata(source)
        if "PixelDataJob" not in source.cancelled and not pyramids.is_unviewable(metadata, self._settings):
            self._store_extremes(pixels_id, planes.minimum_maximum(source.path, metadata))
        if "ThumbnailGenerationJob" not in source.cancelled:
            self._make_thumbnail(pixels_id, source, metadata)
        if pyramids.needs_pyramid(metadata, self._settings) and not planes.has_subresolutions(source.path):
            self._make_pyramid(pixels_id, source, metadata)
        self._context.log.info("Pixels:%d done: %s", pixels_id, source.path.name)

    def _metadata(self, source: Source) -> ImageMetadata:
        images = read_metadata(source.path)
        if source.series >= len(images):
            raise failed_error("unreadable-image", f"{source.path.name} has no image number {source.series}")
        return images[source.series]

    def _store_extremes(self, pixels_id: int, extremes: tuple[tuple[float, float], ...]) -> None:
        if not all(math.isfinite(low) and math.isfinite(high) for low, high in extremes):
            self._context.log.warning("Pixels:%d has values that are no numbers: no minimum and maximum", pixels_id)
            return
        self._blitz.request("POST", f"/internal/pixels/{pixels_id}/statistics", {"channels": extremes})

    def _make_thumbnail(self, pixels_id: int, source: Source, metadata: ImageMetadata) -> None:
        content = planes.make_thumbnail(source.path, self._thumbnail_size, metadata)
        width, height = planes.thumbnail_dimensions(metadata, self._thumbnail_size)
        row = self._blitz.request(
            "POST", "/internal/thumbnails", {"pixels_id": pixels_id, "size_x": width, "size_y": height}
        )
        path = layout.thumbnail_path(self._settings.data_directory, int(row["id"]))
        files.make_directory(path.parent, mode=0o750)
        files.write_atomically(path, content, mode=0o640)

    def _make_pyramid(self, pixels_id: int, source: Source, metadata: ImageMetadata) -> None:
        target = layout.pyramid_path(self._settings.data_directory, pixels_id)
        if target.exists() and target.stat().st_size:
            return
        pyramids.make_pyramid(
            source.path, target, metadata=metadata, tile=self._tile, is_cancelled=lambda: self._context.stop.requested
        )
        self._context.log.info("Pixels:%d has a pyramid of %d bytes", pixels_id, target.stat().st_size)

    def close(self) -> None:
        """Give the connection back."""
        self._eventlog.close()

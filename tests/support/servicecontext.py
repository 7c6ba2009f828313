"""A server's surroundings inside the test's process, for parts of servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.health import Health
from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings


@contextmanager
def service_context(
    omerodir: Path, settings: Mapping[str, str] | None = None, *, kind: str = "Indexer", server_id: str = "Indexer-0"
) -> Iterator[ServiceContext]:
    """A context whose health listens nowhere."""
    instance = Instance(omerodir)
    instance.run_directory.mkdir(parents=True, exist_ok=True)
    stop = Stop()
    health = Health(server_id, instance.run_directory / f"{server_id}.health")
    try:
        yield ServiceContext(kind, server_id, instance, Settings(settings or {}), None, stop, health)
    finally:
        stop.close()

"""Blitz is killed while it deletes: rows go all or not at all, and no file is lost or left."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from pathlib import Path

from omeroadmin.database.connection import connect
from omeroadmin.database.holds import removals_held
from tests.support.graph import Person
from tests.support.liveserver import LiveServer, live, start_all


def files_of(server: LiveServer) -> set[str]:
    """Files in the managed repository, below it."""
    found = (path for path in server.managed.rglob("*") if path.is_file())
    return {str(path.relative_to(server.managed)) for path in found if ".omero" not in path.parts}


def recorded(server: LiveServer) -> set[str]:
    """Files in the managed repository that the database has rows for; logs of imports are among them."""
    rows = server.sql(
        "SELECT o.path || o.name FROM originalfile o JOIN originalfile r ON r.hash = o.repo"
        " WHERE r.mimetype = 'Repository' AND r.name = %s AND o.mimetype <> 'Directory'",
        server.managed.name,
    )
    return {str(row[0]) for row in rows}


def kill(server: LiveServer) -> None:
    next(process for process in reversed(server.runtime.servers) if process.kind == "Blitz").kill()


def test_the_next_start_removes_the_files_of_a_delete(tmp_path: Path) -> None:
    """Killed between the commit and the removal."""
    with live(tmp_path) as server:
        start_all(server)
        root = Person(server, "root", 0, 0, server.tls().login())
        [image] = root.image()
        stored = files_of(server)
        assert stored == recorded(server)
        assert len(stored) == 2, "the image and the import's log"
        with connect(server.database.address, autocommit=True) as connection, removals_held(connection):
            assert root.ask("delete", f"Image:{image}").status == 200
            kill(server)
        assert files_of(server) == stored
        server.runtime.start("Blitz", "Blitz-0")
        assert files_of(server) == set()
        assert not any((server.managed / name).parent.exists() for name in stored)
        assert server.sql("SELECT count(*) FROM _fs_deletelog") == [(0,)]


def test_a_kill_at_any_moment(tmp_path: Path) -> None:
    with live(tmp_path) as server:
        start_all(server)
        for delay in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4):
            root = Person(server, "root", 0, 0, server.tls().login())
            dataset = root.make("Dataset")
            images = root.image(*(f"{number}" for number in range(15)))
            for image in images:
                root.link("Dataset", dataset, "Image", image)
            files = files_of(server)

            def delete(person: Person = root, dataset_id: int = dataset) -> None:
                with contextlib.suppress(OSError, http.client.HTTPException):
                    person.ask("delete", f"Dataset:{dataset_id}")

            thread = threading.Thread(target=delete)
            thread.start()
            time.sleep(delay)
            kill(server)
            thread.join(30)
            [[left]] = server.sql("SELECT count(*) FROM image WHERE id = ANY(%s)", images)
            assert left in (0, len(images))
            assert bool(server.sql("SELECT 1 FROM dataset WHERE id = %s", dataset)) is bool(left)
            assert not left or files_of(server) == files
            server.runtime.start("Blitz", "Blitz-0")
            assert files_of(server) == recorded(server)
            assert server.sql("SELECT count(*) FROM _fs_deletelog") == [(0,)]

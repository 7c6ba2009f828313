from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path

from omeroadmin.runtime.services.dropbox.memory import Memory
from omeroadmin.runtime.services.monitorserver.publisher import Publisher
from omeroadmin.runtime.services.monitorserver.service import watch
from omeroadmin.runtime.services.monitorserver.watch import DroppedFile, Settling
from omeroadmin.system.clock import wait_until
from omeroadmin.system.sockets import connect_unix
from tests.support.servicecontext import service_context


def put(path: Path, content: bytes = b"x", mtime: int = 1) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(mtime, mtime))
    return str(path)


def test_a_file_settles_when_it_stays_the_same(tmp_path: Path) -> None:
    settling = Settling(tmp_path, 3)
    path = put(tmp_path / "bob" / "a.tif")
    settling.look(path, 0)
    assert settling.is_waiting
    assert settling.newly_settled(2.9) == []
    put(Path(path), b"more", 2)
    assert settling.newly_settled(3.1) == []
    assert settling.newly_settled(6) == []
    assert settling.newly_settled(6.2) == [DroppedFile("bob", path, 4, 2)]
    assert settling.newly_settled(10) == []
    settling.look(path, 11)
    assert not settling.is_waiting
    put(Path(path), b"even more", 3)
    settling.look(path, 12)
    assert [file.size for file in settling.newly_settled(15)] == [9]


def test_a_scan_finds_what_events_missed(tmp_path: Path) -> None:
    settling = Settling(tmp_path, 0)
    paths = [put(tmp_path / "bob" / "sub" / "b.tif"), put(tmp_path / "amy" / "a.tif")]
    settling.scan(0)
    assert [file.user for file in settling.newly_settled(0)] == ["amy", "bob"]
    Path(paths[0]).unlink()
    settling.scan(1)
    assert [file.user for file in settling.settled] == ["amy"]
    Path(paths[1]).unlink()
    settling.look(paths[1], 2)
    assert settling.settled == ()


def test_what_is_not_watched(tmp_path: Path) -> None:
    settling = Settling(tmp_path / "DropBox", 0)
    put(tmp_path / "DropBox" / "no_user.tif")
    put(tmp_path / "DropBox" / ".imported" / "files.jsonl")
    put(tmp_path / "DropBox" / "bob" / ".hidden.tif")
    put(tmp_path / "DropBox" / "bob" / ".partial" / "a.tif")
    put(tmp_path / "DropBox" / "bob" / "empty.tif", b"")
    (tmp_path / "DropBox" / "bob" / "link.tif").symlink_to(put(tmp_path / "secret"))
    settling.scan(0)
    settling.look(str(tmp_path / "secret"), 0)
    settling.look(str(tmp_path / "DropBox" / "bob" / "link.tif"), 0)
    assert settling.newly_settled(0) == []


def test_a_directory_that_is_moved_in_is_looked_through(tmp_path: Path) -> None:
    settling = Settling(tmp_path, 0)
    put(tmp_path / "bob" / "run1" / "deep" / "a.tif")
    settling.look(str(tmp_path / "bob" / "run1"), 0)
    assert len(settling.newly_settled(0)) == 1


def test_watching_a_real_directory(tmp_path: Path) -> None:
    root = tmp_path / "DropBox"
    put(root / "bob" / "before.tif")
    seen: list[DroppedFile] = []
    watching = threading.Event()
    with service_context(tmp_path) as context:
        settling = Settling(root, 0.2)
        thread = threading.Thread(
            target=watch,
            args=(root, settling, threading.Lock(), context.stop, seen.append),
            kwargs={"on_watching": watching.set},
        )
        thread.start()
        try:
            assert watching.wait(10)
            put(root / "amy" / "new" / "after.tif")
            assert wait_until(lambda: {file.user for file in seen} == {"bob", "amy"}, timeout=10), seen
        finally:
            context.stop.request()
            thread.join(10)
    assert len(seen) == 2


def test_subscribers_hear_of_old_and_new_files(tmp_path: Path) -> None:
    old, new = DroppedFile("bob", "/a", 1, 2), DroppedFile("amy", "/b", 3, 4)
    publisher = Publisher(tmp_path / "m.sock", lambda: [old])
    try:
        with connect_unix(tmp_path / "m.sock", timeout=10) as connection, connection.makefile() as stream:
            assert DroppedFile(**json.loads(stream.readline())) == old
            publisher.publish(new)
            assert DroppedFile(**json.loads(stream.readline())) == new
            gone = connect_unix(tmp_path / "m.sock", timeout=10)
            gone.close()
            for _ in range(3):
                publisher.publish(new)
                assert json.loads(stream.readline())["user"] == "amy"
    finally:
        publisher.close()
    assert not (tmp_path / "m.sock").exists()


def test_memory_survives(tmp_path: Path) -> None:
    path = tmp_path / ".imported" / "files.jsonl"
    file = DroppedFile("bob", "/d/bob/ä\n.tif", 5, 6)
    memory = Memory(path)
    assert not memory.knows(file)
    memory.remember(file)
    memory.close()
    path.write_bytes(path.read_bytes() + b'{"user": "bob", "path": "/d/bob/cut')
    memory = Memory(path)
    assert memory.knows(file)
    assert not memory.knows(replace(file, mtime=7))
    assert memory.has_path(replace(file, mtime=7))
    memory.remember(replace(file, path="/other"))
    memory.close()
    assert len(path.read_bytes().splitlines()) == 2
    assert path.stat().st_mode & 0o777 == 0o600


def test_memory_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "files.jsonl"
    memory = Memory(path)
    line = json.dumps({"user": "bob", "path": "/a", "size": 1, "mtime": 1}) + "\n"
    memory.close()
    path.write_text(line * 3000 + "rubbish\n" + '{"user": 1}\n')
    memory = Memory(path)
    assert memory.knows(DroppedFile("bob", "/a", 1, 1))
    memory.close()
    assert path.read_text() == line

"""What must stay secret on a server with two Blitz instances and an Indexer: keys, and private data of others."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.repository import layout
from omeroadmin.repository.layout import plan_data_directories
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.clock import wait_until
from omeroadmin.system.local import LocalHost
from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import PASSWORD, Api, LiveServer, command_line, live, start_router
from tests.support.roles import join

BLITZES = ("Blitz-0", "Blitz-1")
_LARGEST_ID = 40


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of several Blitz instances."""
    with live(tmp_path_factory.mktemp("leaks")) as made:
        settings, host = made.database.settings, LocalHost()
        apply_plan(plan_data_directories(settings, layout.inspect_data_directories(settings, host)), host)
        started = [
            made.runtime.start("IceStorm", "OMERO.IceStorm", wait=False),
            *(made.runtime.start("Blitz", name, "-Xmx512m", wait=False) for name in BLITZES),
            made.runtime.start("Indexer", "Indexer-0", wait=False),
            start_router(made, wait=False),
        ]
        for process in started:
            process.wait_ready()
        yield made


def picture() -> bytes:
    """A PNG."""
    import pyvips

    return bytes(pyvips.Image.black(8, 8).pngsave_buffer())


def test_a_key_is_dead_on_every_blitz_at_once(server: LiveServer) -> None:
    for closing, other in itertools.permutations(BLITZES):
        first, second = server.local(closing).login(), server.local(other)
        second.key = first.key
        assert second.call("PATCH", "/sessions/current", {"group": "user"}).document["group"] == "user"
        assert first.call("GET", "/sessions/current").document["group"] == "user"
        assert first.call("DELETE", "/sessions/current").status == 204
        for _ in range(3):
            assert second.call("GET", "/sessions/current").code == "session-expired"
            assert second.call("POST", "/sessions/current/keepalive").code == "session-expired"


def test_private_data_is_hidden_from_other_members(server: LiveServer) -> None:
    word = f"confidential{secrets.token_hex(6)}"
    owner, member = server.add_user(), server.add_user()
    join(server, member, f"group-of-{owner}")
    api, other = server.tls().login(owner, PASSWORD), server.tls().login(member, PASSWORD)
    assert other.call("PATCH", "/sessions/current", {"group": f"group-of-{owner}"}).status == 200
    assert api.import_files((f"/home/{word}.png", picture())).status == 201
    assert wait_until(lambda: word.encode() in api.call("GET", f"/search?query={word}").content, timeout=30)
    seen = {path for path, content in everything(api, word) if word.encode() in content}
    patterns = {re.sub(r"[0-9]+", "{id}", path.partition("?")[0]) for path in seen}
    assert patterns >= {"/images", "/images/{id}", "/images/{id}/files", "/search"}, "the owner sees it all over"
    assert {path for path, content in everything(other, word) if word.encode() in content} == set()
    for path in sorted(seen):
        assert other.call("GET", path).status in (200, 403, 404), path


def everything(api: Api, word: str) -> Iterator[tuple[str, bytes]]:
    """What somebody gets of every operation that reads, for all ids that there are."""
    paths = api.call("GET", "/openapi.json").document["paths"]
    for path, operations in paths.items():
        if "get" not in operations or path == "/openapi.json":
            continue
        needed = [
            p["name"] for p in operations["get"].get("parameters", []) if p["in"] == "query" and p.get("required")
        ]
        query = "?" + "&".join(f"{name}={word}" for name in needed) if needed else ""
        names = re.findall(r"{(\w+)}", path)
        for ids in itertools.product(range(_LARGEST_ID if len(names) < 2 else 8), repeat=len(names)):
            target = path
            for name, number in zip(names, ids, strict=True):
                target = target.replace(f"{{{name}}}", "Image" if name in ("type", "kind") else str(number))
            yield target + query, api.call("GET", target + query).content


def test_no_key_and_no_password_is_in_any_log(server: LiveServer, tmp_path: Path) -> None:
    omero = command_line(server, tmp_path)
    user = server.add_user()
    (tmp_path / "own").write_text(PASSWORD)
    (tmp_path / "picture.png").write_bytes(picture())
    (tmp_path / "broken.png").write_bytes(b"this is no picture")
    here, by_file = f"{user}@localhost", ("--password-file", "own")
    for words in (
        ("login", "root@localhost", "--password-file", "password"), ("sessions", "list"), ("sessions", "who"),
        ("sessions", "group", "user"), ("sessions", "group", "no such group"), ("sessions", "timeout", "3600"),
        ("sessions", "open", "--user-name", user), ("user", "list"), ("group", "list"), ("user", "info", "nobody"),
        ("login", here, *by_file, "-t", "0"), ("login", here, "-w", "wrong"), ("login", here, *by_file),
        ("import", "picture.png", "broken.png"),
        ("fs", "images"), ("fs", "sets"), ("search", "picture"), ("sessions", "close", "999999"),
        ("login", here, "--sudo", "root", "--password-file", "password"), ("sessions", "who", "-k", "x" * 36),
        ("sessions", "clear", "--all"), ("logout",),
    ):  # fmt: skip
        omero.run(*words)
    api = server.tls().login(user, PASSWORD)
    for path in (f"/sessions/{api.key}", f"/images?key={api.key}", "/images/999999", f"/files/{api.key}/content"):
        api.call("GET", path)
    api.call("POST", "/sessions", {"user": user, "password": [PASSWORD], "sudo": api.key})
    api.call("PATCH", "/sessions/current", {"group": api.key})
    api.call("GET", "/images", headers={"OMERO-Group": api.key})
    for process in [one for one in server.runtime.servers if one.kind == "Blitz"]:
        process.kill()
        server.runtime.start("Blitz", process.server_id, "-Xmx512m")
        server.tls().login(user, PASSWORD).call("GET", "/sessions/current")
    keys = {row[0] for row in server.sql("SELECT uuid FROM session WHERE id > 0")}
    assert len(keys) > 8
    root = server.runtime.instance.omerodir.parent
    logs = [path for path in root.rglob("*") if path.is_file() and (path.suffix == ".log" or "log" in path.parent.name)]
    assert {f"{name}.log" for name in (*BLITZES, "OMERO.Glacier2", "Indexer-0")} <= {path.name for path in logs}
    said = {path: path.read_text(errors="replace") for path in logs}
    assert any(f"in the name of user {_id(server, user)}" in text for text in said.values()), "sudo is on record"
    for log, text in said.items():
        found = [secret for secret in (*keys, PASSWORD, ROOT_PASSWORD) if secret in text]
        assert not found, f"{log} has {len(found)} secrets"


def _id(server: LiveServer, user: str) -> int:
    return int(server.sql("SELECT id FROM experimenter WHERE omename = %s", user)[0][0])

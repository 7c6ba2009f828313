"""``omero admin stats`` on a server with images."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.omero import Omero


def test_numbers_are_those_of_the_server(server: Omero) -> None:
    document = json.loads(server.ok("admin", "stats", "--json"))
    assert document["schema"] == "omeroadmin/stats/1"
    images = server.json("fs", "images", "--limit", "100000", "--style", "json")["images"]
    assert document["objects"]["Image"] >= len(images) > 0
    assert sum(share["size"] for share in document["users"]) == document["imported"]["size"] > 0
    text = server.ok("admin", "stats", "--top", "1")
    assert "Imports: " in text
    assert "Largest fileset" in text


def test_pictures(server: Omero, tmp_path: Path) -> None:
    picture = tmp_path / "growth.png"
    assert server.ok("admin", "stats", "--plot", str(picture)) == ""
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    drawn = server.ok("admin", "stats", "--plot", "-")
    assert "█" in drawn


def test_bad_input(server: Omero, tmp_path: Path) -> None:
    assert server.run("admin", "stats", "--top", "0").returncode == 2
    done = server.run("admin", "stats", "--plot", str(tmp_path / "nowhere" / "a.png"))
    assert done.returncode == 5
    assert len(done.stderr.strip().splitlines()) <= 2

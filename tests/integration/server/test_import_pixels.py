"""What PixelData makes of imports: of images in several files, and of those that wanted something left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from tests.integration.server.test_blitz_imports import picture
from tests.support.liveserver import Api, LiveServer
from tests.support.ome import write_set


@pytest.fixture
def api(live_server: LiveServer) -> Iterator[Api]:
    server = live_server.runtime.start("PixelData", "PixelData-0")
    yield live_server.tls().login()
    server.stop()
    live_server.runtime.servers.remove(server)


def extremes(server: LiveServer, image: int) -> list[tuple[object, ...]]:
    return server.sql(
        "SELECT s.globalmin, s.globalmax FROM channel c JOIN pixels p ON p.id = c.pixels"
        " JOIN statsinfo s ON s.id = c.statsinfo WHERE p.image = %s ORDER BY c.pixels_index",
        image,
    )


def has_thumbnail(api: Api, image: int) -> bool:
    return api.call("GET", f"/images/{image}/thumbnail").status == 200


@pytest.mark.parametrize("companion", ["", "all.companion.ome"])
def test_planes_of_several_files_are_read(live_server: LiveServer, api: Api, tmp_path: Path, companion: str) -> None:
    files = write_set(tmp_path / "set", ("a.ome.tif", "b.ome.tif", "c.ome.tif"), companion=companion)
    done = api.import_files(*((str(path), path.read_bytes()) for path in files))
    image = done.document["images"][0]["id"]
    assert wait_until(lambda: has_thumbnail(api, image), timeout=30)
    assert extremes(live_server, image) == [(number, number) for number in (0, 1, 2)]


def test_what_is_left_out_is_not_made_and_thumbnails_come_when_asked_for(live_server: LiveServer, api: Api) -> None:
    left_out = api.import_files(("/a/left-out.png", picture(60)), skip=["minmax", "thumbnails"]).document
    whole = api.import_files(("/a/whole.png", picture(61))).document
    first, second = left_out["images"][0]["id"], whole["images"][0]["id"]
    # One after the other: the second is done, so the first was dealt with.
    assert wait_until(lambda: has_thumbnail(api, second), timeout=30)
    assert extremes(live_server, first) == []
    assert len(extremes(live_server, second)) == 1
    assert live_server.sql(
        "SELECT count(*) FROM thumbnail t JOIN pixels p ON p.id = t.pixels WHERE p.image = %s", first
    ) == [(0,)]
    answer = api.call("GET", f"/images/{first}/thumbnail")
    assert (answer.status, answer.code) == (404, "thumbnail-missing")
    assert wait_until(lambda: has_thumbnail(api, first), timeout=30)
    assert extremes(live_server, first) == []

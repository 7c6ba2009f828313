"""Who may see what."""

from __future__ import annotations

import pytest

from tests.support.liveserver import PASSWORD, Api, LiveServer

PRIVATE, READ_ONLY = -120, -56


def small_picture() -> bytes:
    """A PNG."""
    import pyvips

    return bytes(pyvips.Image.black(8, 8).pngsave_buffer())


def imported_image(api: Api) -> int:
    """An image of the client's user."""
    return int(api.import_files(("/p/picture.png", small_picture())).document["images"][0]["id"])


def listed(api: Api) -> set[int]:
    """Ids of all images that are listed, page by page."""
    ids: set[int] = set()
    after = 0
    while True:
        page = api.call("GET", f"/images?limit=2&after={after}").document
        found = {image["id"] for image in page["images"]}
        assert not ids & found
        ids |= found
        if page["next"] is None:
            return ids
        after = page["next"]


def test_private_groups_hide_what_read_only_groups_share(live_server: LiveServer) -> None:
    for permissions, shared in ((PRIVATE, False), (READ_ONLY, True)):
        owner = live_server.add_user(permissions=permissions)
        colleague = live_server.add_user(group=f"group-of-{owner}")
        image = imported_image(live_server.tls().login(owner, PASSWORD))
        api = live_server.tls().login(colleague, PASSWORD)
        assert (image in listed(api)) is shared
        assert (api.call("GET", f"/images/{image}").status == 200) is shared
        assert (api.call("GET", f"/images/{image}/files").status == 200) is shared


def test_strangers_see_nothing_and_admins_everything(live_server: LiveServer) -> None:
    owner = live_server.tls().login(live_server.add_user(), PASSWORD)
    image = imported_image(owner)
    [file] = owner.call("GET", f"/images/{image}/files").document["files"]
    stranger = live_server.tls().login(live_server.add_user(), PASSWORD)
    for path in (
        f"/images/{image}",
        f"/images/{image}/files",
        f"/images/{image}/thumbnail",
        f"/files/{file['id']}/content",
    ):
        assert stranger.call("GET", path).code == "not-found", path
    assert listed(stranger) == set()
    assert stranger.call("GET", "/filesets").document["filesets"] == []
    assert image in listed(live_server.tls().login())


def test_leaders_see_their_private_group(live_server: LiveServer) -> None:
    owner = live_server.add_user(permissions=PRIVATE)
    leader = live_server.add_user(group=f"group-of-{owner}")
    live_server.sql(
        "UPDATE groupexperimentermap m SET owner = true FROM experimenter e WHERE e.id = m.child AND m.parent > 1"
        " AND e.omename = %s",
        leader,
    )
    image = imported_image(live_server.tls().login(owner, PASSWORD))
    assert listed(live_server.tls().login(leader, PASSWORD)) == {image}


def test_a_thumbnail_is_missing_until_it_is_there(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    image = imported_image(api)
    assert api.call("GET", f"/images/{image}/thumbnail").code == "thumbnail-missing"
    [(pixels,)] = live_server.sql("SELECT id FROM pixels WHERE image = %s", image)
    internal = live_server.local(internal=True)
    body = {"pixels_id": pixels, "size_x": 96, "size_y": 96}
    made = internal.call("POST", "/internal/thumbnails", body)
    assert made.status == 201
    assert internal.call("POST", "/internal/thumbnails", body).document == made.document
    assert api.call("GET", f"/images/{image}/thumbnail").code == "thumbnail-missing"
    from omeroadmin.repository.layout import thumbnail_path

    path = thumbnail_path(live_server.data, made.document["id"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a JPEG")
    answer = api.call("GET", f"/images/{image}/thumbnail?size=96")
    assert (answer.content, answer.headers["content-type"]) == (b"a JPEG", "image/jpeg")


def test_statistics_of_channels(live_server: LiveServer) -> None:
    image = imported_image(live_server.tls().login())
    [(pixels,)] = live_server.sql("SELECT id FROM pixels WHERE image = %s", image)
    internal = live_server.local(internal=True)
    for channels in ([[0, 1], [2, 3]], [["a", 1]], [[1]], [[float("nan"), 1]], "x"):
        answer = internal.call("POST", f"/internal/pixels/{pixels}/statistics", {"channels": channels})
        assert answer.status == 400, channels
    for highest in (200, 255):
        body = {"channels": [[0, highest]]}
        assert internal.call("POST", f"/internal/pixels/{pixels}/statistics", body).status == 204
        rows = live_server.sql(
            "SELECT s.globalmin, s.globalmax FROM channel c JOIN statsinfo s ON s.id = c.statsinfo WHERE c.pixels = %s",
            pixels,
        )
        assert rows == [(0, highest)]
    assert internal.call("POST", "/internal/pixels/999999/statistics", {"channels": []}).status == 404


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=100000", "after=-1", "after=99999999999999999999"])
def test_bad_pages_are_refused(live_server: LiveServer, query: str) -> None:
    answer = live_server.tls().login().call("GET", f"/images?{query}")
    assert (answer.status, answer.code) == (400, "request-invalid")


def test_ids_that_no_database_has(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    assert api.call("GET", "/images/99999999").status == 404
    assert api.call("GET", "/images/99999999999999999999999").status in (400, 404)
    assert api.call("GET", "/files/1/content").status == 404


def test_the_repositories_are_the_three(live_server: LiveServer) -> None:
    found = live_server.tls().login().call("GET", "/repositories").document["repositories"]
    assert {repository["type"]: repository["path"] for repository in found} == {
        "Public": str(live_server.data),
        "Managed": str(live_server.managed),
        "Script": str(live_server.runtime.instance.scripts_directory),
    }


def test_search_and_tables_without_their_servers(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    assert api.call("GET", "/search?query=x").code == "search-unavailable"
    assert api.call("GET", "/search").code == "request-invalid"
    table = api.call("POST", "/tables", {"columns": [{"name": "a", "type": "long"}], "rows": [[1]]})
    assert (table.status, table.code) == (503, "tables-unavailable")
    assert api.call("GET", "/tables/1").status == 404

"""Scripts and their jobs, from the client's and the Processor's side; tables and searches with stand-in servers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from omeroadmin.runtime.kernel.localserver import Refusal, Request, serving
from tests.support.liveserver import PASSWORD, Api, LiveServer, live, start_all


@pytest.fixture(scope="module")
def script_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with two scripts."""
    with live(tmp_path_factory.mktemp("scripts")) as server:
        root = server.runtime.instance.scripts_directory / "omero" / "util"
        root.mkdir(parents=True)
        (root / "hello.py").write_text("print('hello')\n")
        (root / "other.py").write_text("print('other')\n")
        (root / "_private.py").write_text("")
        yield start_all(server)


def claim(server: LiveServer) -> Any:
    """A job, as Processor-0 gets it."""
    answer = server.local(internal=True).call("POST", "/internal/jobs/claim", {"processor": "Processor-0"})
    assert answer.status in (200, 204)
    return answer.document


def submit(api: Api, path: str = "/omero/util/hello.py") -> int:
    """Have a script run."""
    scripts = {script["path"]: script["id"] for script in api.call("GET", "/scripts").document["scripts"]}
    answer = api.call("POST", f"/scripts/{scripts[path]}/jobs", {"inputs": {"name": "Ü"}})
    assert answer.status == 202, answer
    return int(answer.document["job_id"])


def test_scripts_on_disk_are_listed(script_server: LiveServer) -> None:
    scripts = script_server.tls().login().call("GET", "/scripts").document["scripts"]
    assert [script["path"] for script in scripts] == ["/omero/util/hello.py", "/omero/util/other.py"]
    content = script_server.tls().login(script_server.add_user(), PASSWORD)
    assert content.call("GET", f"/files/{scripts[0]['id']}/content").content == b"print('hello')\n"


def test_a_job_from_submission_to_result(script_server: LiveServer) -> None:
    user = script_server.add_user()
    api = script_server.tls().login(user, PASSWORD)
    number = submit(api)
    assert api.call("GET", f"/jobs/{number}").document["status"] == "Submitted"
    job = claim(script_server)
    assert (job["job_id"], job["path"], job["inputs"], job["user"]) == (
        number, "omero/util/hello.py", {"name": "Ü"}, user,
    )  # fmt: skip
    assert api.call("GET", f"/jobs/{number}").document["status"] == "Running"
    internal = script_server.local(internal=True)
    assert internal.call("POST", f"/internal/jobs/{number}/result", {"status": "Running"}).status == 400
    result = {"status": "Finished", "message": "fine", "outputs": {"count": 3}, "stdout": "hello\n", "stderr": "é"}
    assert internal.call("POST", f"/internal/jobs/{number}/result", result).status == 204
    assert api.call("GET", f"/jobs/{number}").document == {"id": number, **result}
    assert claim(script_server) is None


def test_a_job_of_a_processor_that_died_is_an_error(script_server: LiveServer) -> None:
    api = script_server.tls().login()
    first, second = submit(api), submit(api)
    assert claim(script_server)["job_id"] == first
    assert claim(script_server)["job_id"] == second
    lost = api.call("GET", f"/jobs/{first}").document
    assert (lost["status"], lost["message"]) == ("Error", "Processor-0 ended while it ran")
    assert claim(script_server) is None


def test_jobs_are_private(script_server: LiveServer) -> None:
    number = submit(script_server.tls().login(script_server.add_user(), PASSWORD))
    stranger = script_server.tls().login(script_server.add_user(), PASSWORD)
    assert stranger.call("GET", f"/jobs/{number}").status == 404
    assert stranger.call("POST", "/scripts/999999/jobs", {"inputs": {}}).status == 404
    assert script_server.local(internal=True).call(
        "POST", "/internal/jobs/999999/result", {"status": "Error"}
    ).status == 404  # fmt: skip
    claim(script_server)


def test_a_changed_script_is_registered_again_at_start(script_server: LiveServer) -> None:
    path = script_server.runtime.instance.scripts_directory / "omero" / "util" / "other.py"
    path.write_text("print('changed')\n")
    blitz = next(server for server in script_server.runtime.servers if server.kind == "Blitz")
    assert blitz.stop() == 0
    script_server.runtime.start("Blitz", "Blitz-0")
    rows = script_server.sql("SELECT size FROM originalfile WHERE repo = 'ScriptRepo' AND name = 'other.py'")
    assert rows == [(path.stat().st_size,)]


class Tables:
    """What a Tables server answers."""

    def __init__(self, server: LiveServer) -> None:
        self._server = server
        self.stored: dict[int, Any] = {}

    def answer(self, request: Request) -> tuple[int, object]:
        """Keep tables in memory."""
        number = int(request.path.rpartition("/")[2])
        if request.method == "GET":
            return 200, self.stored[number]
        if not request.body["columns"]:
            raise Refusal(400, "table-invalid", "a table has columns")
        from omeroadmin.repository.layout import original_file_path

        self.stored[number] = request.body
        path = original_file_path(self._server.data, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"table")
        return 201, {"id": number}


@contextlib.contextmanager
def search_server(server: LiveServer, hits: list[dict[str, Any]]) -> Iterator[list[Request]]:
    """An Indexer that finds the same always."""
    asked: list[Request] = []

    def answer(request: Request) -> tuple[int, object]:
        asked.append(request)
        if request.query["query"] == "(":
            raise Refusal(400, "query-invalid", "a bracket is open")
        return 200, {"hits": hits, "indexed_to": 7}

    with serving(server.runtime.instance.run_directory / "Indexer-0.sock", answer):
        yield asked


def test_tables(script_server: LiveServer) -> None:
    api = script_server.tls().login(script_server.add_user(), PASSWORD)
    body = {"columns": [{"name": "a", "type": "long"}], "rows": [[1]]}
    with serving(script_server.runtime.instance.run_directory / "Tables-0.sock", Tables(script_server).answer):
        made = api.call("POST", "/tables", body)
        assert made.status == 201, made
        number = made.document["id"]
        assert api.call("GET", f"/tables/{number}").document == body
        assert api.call("GET", f"/files/{number}/content").content == b"table"
        stranger = script_server.tls().login(script_server.add_user(), PASSWORD)
        assert stranger.call("GET", f"/tables/{number}").status == 404
        refused = api.call("POST", "/tables", {"columns": [], "rows": []})
        assert (refused.status, refused.document["error"]["message"]) == (400, "a table has columns")


def test_a_search_shows_only_what_may_be_seen(script_server: LiveServer) -> None:
    import pyvips

    content = bytes(pyvips.Image.black(8, 8).pngsave_buffer())
    owner = script_server.tls().login(script_server.add_user(), PASSWORD)
    image = owner.import_files(("/s/found.png", content)).document["images"][0]["id"]
    stranger = script_server.tls().login(script_server.add_user(), PASSWORD)
    hits = [{"type": "Image", "id": image, "score": 1.5, "name": "stale"}, {"type": "Image", "id": 10**6, "score": 1}]
    hits.append({"type": "Screen", "id": 1, "score": 1})
    with search_server(script_server, hits) as asked:
        found = owner.call("GET", "/search?query=found&limit=5").document
        assert found["indexed_to"] == 7
        [hit] = found["hits"]
        assert {"type": "Image", "id": image, "name": "found.png", "score": 1.5}.items() <= hit.items()
        assert asked[0].query["limit"] == "5"
        assert "owner" in asked[0].query
        assert stranger.call("GET", "/search?query=found").document["hits"] == []
        script_server.tls().login().call("GET", "/search?query=found")
        assert "owner" not in asked[-1].query
        refused = owner.call("GET", "/search?query=(")
        assert (refused.status, refused.document["error"]["message"]) == (400, "a bracket is open")

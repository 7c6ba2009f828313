"""Processor in an instance where nobody else runs: all it knows of the master is the endpoint."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.runtime.kernel.client import UnixConnection
from omeroadmin.schema import grid_endpoint as names
from omeroadmin.system.clock import wait_until
from tests.support.liveserver import Api, LiveServer, live, start_all, start_router
from tests.support.ports import free_port
from tests.support.runtime import Runtime, Server, running

TOKEN = "7c" * 32
LEASE = "5"
SCRIPT = """
import http.client, json, os, socket, sys, time
from pathlib import Path
job = json.load(sys.stdin)
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.AF_UNIX)
here = os.open(Path(job["api"]).parent, os.O_RDONLY)
connection.sock.connect(f"/proc/self/fd/{here}/{Path(job['api']).name}")
seen = {}
for path in ("/api/v0/sessions/current", "/internal/jobs/claim"):
    connection.request("GET", path, headers={"Authorization": f"Bearer {job['session']}"})
    response = connection.getresponse()
    seen[path] = [response.status, json.load(response).get("user")]
open("has-asked", "w").close()
time.sleep(job["inputs"].get("seconds", 0))
Path(os.environ["OMERO_SCRIPT_OUTPUTS"]).write_text(json.dumps(seen))
"""


@dataclass
class Far:
    """A server with the endpoint, and an instance with a Processor that knows it.

    :param router: OMERO.Glacier2 of the server
    """

    server: LiveServer
    router: Server
    endpoint: dict[str, str]
    runtime: Runtime
    processor: Server

    def submit(self, seconds: float = 0) -> int:
        api = self.api()
        scripts = {script["path"]: script["id"] for script in api.call("GET", "/scripts").document["scripts"]}
        answer = api.call("POST", f"/scripts/{scripts['/where.py']}/jobs", {"inputs": {"seconds": seconds}})
        api.close()
        return int(answer.document["job_id"])

    def job(self, number: int) -> dict[str, Any]:
        api = self.api()
        document = api.call("GET", f"/jobs/{number}").document
        api.close()
        return dict(document)

    def api(self) -> Api:
        return Api(UnixConnection(self.server.runtime.instance.run_directory / "Blitz-0.sock", 30)).login()

    def wait_job(self, number: int, *statuses: str, timeout: float = 30) -> dict[str, Any]:
        assert wait_until(lambda: self.job(number)["status"] in statuses, timeout=timeout), (
            f"{self.job(number)}\n{self.processor.tail()}\n{self.router.tail()}"
        )
        return self.job(number)

    def wait_script(self) -> None:
        """Wait until a script has asked all that it has to ask."""
        scratch = self.runtime.instance.temporary_directory
        assert wait_until(lambda: any(scratch.glob("job-*/has-asked")), timeout=20), self.processor.tail()

    def start_router(self) -> None:
        properties: dict[str, Any] = {name.replace(".", "__"): value for name, value in self.endpoint.items()}
        self.router = start_router(self.server, **properties)


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    with live(tmp_path_factory.mktemp("far")) as server:
        scripts = server.runtime.instance.scripts_directory
        scripts.mkdir(parents=True)
        (scripts / "where.py").write_text(SCRIPT)
        start_all(server, omero__scripts__lease=LEASE)
        server.runtime.servers[-1].stop()
        der = ssl.PEM_cert_to_DER_cert(server.certificate.read_text())
        endpoint = {
            names.HOST: "127.0.0.1",
            names.PORT: str(free_port()),
            names.FINGERPRINT: hashlib.sha256(der).hexdigest(),
            names.TOKEN: TOKEN,
        }
        with running(tmp_path_factory.mktemp("worker") / "OMERO.server", endpoint) as runtime:
            made = Far(server, server.runtime.servers[-1], endpoint, runtime, server.runtime.servers[-1])
            made.start_router()
            made.processor = runtime.start("Processor", "Processor-0")
            yield made


def test_a_script_asks_the_api_of_the_master(far: Far) -> None:
    done = far.wait_job(far.submit(), "Finished", "Error")
    # The way that a script is given leads to what clients may ask, whatever it asks for.
    assert (done["status"], done["outputs"]) == (
        "Finished",
        {"/api/v0/sessions/current": [200, "root"], "/internal/jobs/claim": [404, None]},
    ), done
    assert list(far.runtime.instance.temporary_directory.iterdir()) == []
    assert sorted(path.name for path in far.runtime.instance.run_directory.glob("*.sock")) == []
    assert TOKEN not in far.processor.tail()
    assert TOKEN not in far.router.tail()


def test_events_tell_of_jobs(far: Far) -> None:
    assert far.router.health() is not None
    grid_connections = dict((far.router.health() or {})["detail"])["grid_connections"]
    assert grid_connections == 1, "the subscription to events, and nothing that was left over"


def test_a_result_waits_for_the_master(far: Far) -> None:
    number = far.submit(seconds=1)
    far.wait_script()
    far.router.kill()
    assert wait_until(lambda: "Finished" in far.processor.tail().splitlines()[-1], timeout=20), far.processor.tail()
    assert far.job(number)["status"] == "Running"
    far.start_router()
    assert far.wait_job(number, "Finished", "Error")["status"] == "Finished"
    assert wait_until(far.processor.is_ready, timeout=20)


def test_signs_of_life_keep_a_long_job(far: Far) -> None:
    number = far.submit(seconds=2 * int(LEASE))
    assert far.wait_job(number, "Finished", "Error")["status"] == "Finished"


def test_a_job_that_is_unheard_of_ends(far: Far) -> None:
    number = far.submit(seconds=300)
    far.wait_script()
    far.router.kill()
    lost = far.wait_job(number, "Error")
    assert lost["message"] == f"Processor-0 was not heard of for {LEASE} s while it ran"
    far.start_router()
    assert far.wait_job(far.submit(), "Finished", "Error")["status"] == "Finished"
    assert far.job(number) == lost
    assert f"Job:{number}: the result comes too late" in far.processor.tail()


def test_who_does_not_run_a_job_can_not_keep_it(far: Far) -> None:
    number = far.submit(seconds=1)
    far.wait_job(number, "Running")
    internal = far.server.local(internal=True)
    answer = internal.call("POST", f"/internal/jobs/{number}/lease", {"processor": "Processor-1"})
    assert (answer.status, answer.code) == (409, "job-ended")
    assert internal.call("POST", f"/internal/jobs/{number}/lease", {"processor": "Processor-0"}).status == 204
    far.wait_job(number, "Finished")
    again = internal.call("POST", f"/internal/jobs/{number}/result", {"status": "Error"})
    assert (again.status, again.code) == (409, "job-ended")


def test_a_wrong_token_is_said(far: Far, tmp_path: Path) -> None:
    wrong = {**far.endpoint, names.TOKEN: "00" * 32}
    with running(tmp_path / "OMERO.server", wrong) as runtime:
        stranger = runtime.start("Processor", "Processor-1", wait=False)
        assert wait_until(lambda: "refused" in str((stranger.health() or {}).get("reason")), timeout=20)
        assert stranger.stop() == 0
    assert "doesn't know the grid's token and is refused" in far.router.tail()

"""The server does what its description says, for any request: schemathesis makes them, all operations take part.

The server is this test's own, because the requests change, close and delete whatever they can.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS, load_all_checks

from omeroadmin.runtime.services.blitz.http.description import describe
from omeroadmin.runtime.services.blitz.http.routes import PUBLIC
from tests.integration.server.test_blitz_imports import picture
from tests.support.liveserver import Api, LiveServer, live, start_all

load_all_checks()
DESCRIPTION = describe(PUBLIC, "0")
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
# A request that fits the forms may still be refused in words: for a name that is taken, or an import without a file.
EXCLUDED = [CHECKS.get_one("positive_data_acceptance")]


@dataclass
class Target:
    """The server, and what is needed to ask it anything.

    :param internal: opens sessions without a password
    """

    server: LiveServer
    internal: Api
    session: requests.Session

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"https://localhost:{self.server.ssl_port}/api/v0"

    def key(self) -> str:
        """Of a new session of root: any request may have closed the last one."""
        answer = self.internal.call("POST", "/internal/sessions", {"user": "root", "agent": "tests"})
        assert answer.status == 201, answer
        return str(answer.document["key"])


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    directory = tmp_path_factory.mktemp("api")
    with live(directory) as server, requests.Session() as session, pytest.MonkeyPatch.context() as environment:
        start_all(server, omero__security__login_failure_throttle_time="0")
        for kind in ("Indexer", "Tables"):
            server.runtime.start(kind, f"{kind}-0", "-Xmx512m")
        root = server.tls().login()
        assert root.import_files(("/a/picture.png", picture(1))).status == 201
        table = {"columns": [{"name": "Value", "type": "long"}], "rows": [[1], [2]]}
        assert root.call("POST", "/tables", table).status == 201
        environment.setenv("REQUESTS_CA_BUNDLE", str(server.certificate))
        yield Target(server, server.local(internal=True), session)
        log = server.runtime.instance.log_directory / "Blitz-0.log"
        undeclared = [line for line in log.read_text().splitlines() if "which it doesn't declare" in line]
        assert undeclared == []


@SCHEMA.parametrize()
@settings(
    max_examples=max(4, 300 // len(PUBLIC)),
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_any_request(case: schemathesis.Case, target: Target) -> None:
    headers = {"Authorization": f"Bearer {target.key()}"}
    response = case.call(base_url=target.url, session=target.session, headers=headers, timeout=30)
    case.validate_response(response, excluded_checks=EXCLUDED, headers=headers)


def test_the_description_is_served_without_a_session(target: Target) -> None:
    answer = target.server.tls().call("GET", "/openapi.json")
    assert answer.status == 200
    assert {**answer.document, "info": None} == {**_as_json(DESCRIPTION), "info": None}


def test_a_method_that_a_path_lacks_is_refused_with_those_that_it_has(target: Target) -> None:
    answer = target.server.tls().call("PATCH", "/sessions")
    assert (answer.status, answer.code) == (405, "not-allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


def _as_json(document: Any) -> Any:
    return json.loads(json.dumps(document))

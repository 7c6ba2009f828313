"""Real nginx takes what we write, and does what it says."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path

import pytest

from omeroadmin.nginx.site import SiteKind, SiteWish, plan_files, plan_site, render_site
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost
from tests.support import nginx
from tests.support.omero import Omero
from tests.support.ports import free_port

VALUES = [
    {},
    {"omero.web.prefix": "/omero", "omero.web.static_url": "/omero/static/"},
    {"omero.web.nginx_server_extra_config": '["location /health {", "return 200 \\"}\\";", "}"]'},
    {"omero.web.application_server.host": "::1"},
]


def instance_in(directory: Path, kind: SiteKind = SiteKind.DEVELOPMENT) -> Instance:
    """An instance with spaces and braces in its path, which nginx must bear."""
    instance = Instance(directory / "my omero {1};")
    instance.omerodir.mkdir()
    apply_plan(plan_files(instance, kind), LocalHost())
    instance.static_directory.mkdir(parents=True)
    (instance.static_directory / "style.css").write_text("a{}")
    (instance.var / "secret").write_text("secret")
    return instance


@pytest.mark.parametrize("kind", list(SiteKind))
@pytest.mark.parametrize("values", VALUES)
def test_nginx_accepts_it(tmp_path: Path, kind: SiteKind, values: dict[str, str]) -> None:
    instance = instance_in(tmp_path)
    wish = SiteWish(kind, free_port(), servername="omero.example.org *.example.com ::1", max_body_size="20m")
    text = render_site(plan_site(instance, Settings(values), wish))
    if kind is SiteKind.DEVELOPMENT:
        configuration = tmp_path / "nginx.conf"
        configuration.write_text(text)
    else:
        configuration = nginx.wrap(tmp_path, text, server=kind is SiteKind.LOCATION)
    nginx.check(configuration)


class Backend(http.server.BaseHTTPRequestHandler):
    """Says what it was asked."""

    def do_GET(self) -> None:
        """Answer with path and headers."""
        if self.path.endswith("/broken"):
            self.send_error(500)
            return
        body = f"{self.path} {self.headers['Host']} {self.headers['X-Forwarded-Proto']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Keep quiet."""


@pytest.mark.parametrize("prefix", ["", "/omero"])
def test_development_serves_static_files_and_the_maintenance_page(tmp_path: Path, prefix: str) -> None:
    instance = instance_in(tmp_path)
    port, backend_port = free_port(), free_port()
    values = {
        "omero.web.application_server.port": str(backend_port),
        "omero.web.static_url": f"{prefix}/static/",
        **({"omero.web.prefix": prefix} if prefix else {}),
    }
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(
        render_site(plan_site(instance, Settings(values), SiteWish(SiteKind.DEVELOPMENT, http=port)))
    )
    with nginx.serving(configuration, port) as url:
        status, body, headers = nginx.answer(f"{url}{prefix}/static/style.css")
        assert (status, body, headers["Content-Type"]) == (200, "a{}", "text/css")
        assert nginx.answer(f"{url}{prefix}/static../secret")[0] != 200
        status, body, headers = nginx.answer(f"{url}{prefix}/webclient/")
        assert status == 502
        assert "short break" in body
        assert headers["Content-Type"] == "text/html"
        with http.server.ThreadingHTTPServer(("127.0.0.1", backend_port), Backend) as backend:
            thread = threading.Thread(target=backend.serve_forever)
            thread.start()
            try:
                status, body, _ = nginx.answer(f"{url}{prefix}/webclient/?a=1")
                assert (status, body) == (200, f"{prefix}/webclient/?a=1 127.0.0.1:{port} http")
                assert "short break" not in nginx.answer(f"{url}{prefix}/broken")[1]
            finally:
                backend.shutdown()
                thread.join()
        assert nginx.answer(f"{url}{prefix}/webclient/")[0] == 502
    assert (instance.log_directory / "nginx_access.log").stat().st_size > 0


@pytest.fixture
def omero(tmp_path: Path) -> Omero:
    """An instance that was only configured."""
    omero = Omero(tmp_path)
    (omero.omerodir / "etc" / "grid").mkdir(parents=True)
    return omero


def test_the_command_prints_the_configuration(omero: Omero) -> None:
    done = omero.run("web", "config", "nginx", "--http", "8888", "--servername", "omero.example.org")
    assert done.returncode == 0, done.stderr
    assert "listen 8888;" in done.stdout
    assert "server_name omero.example.org;" in done.stdout
    assert f'root "{omero.omerodir}/etc/templates/error";' in done.stdout
    nginx.check(nginx.wrap(omero.home, done.stdout, server=False))


def test_the_command_tells_of_closed_directories(omero: Omero) -> None:
    (omero.omerodir / "etc").chmod(0o700)
    done = omero.run("web", "config", "nginx-location")
    assert done.returncode == 0
    assert f"chmod o+x {omero.omerodir}/etc" in done.stderr or f" {omero.omerodir}/etc" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nginx", "--system"], "--system is no longer there"),
        (["nginx", "--http", "4080"], "port 4080"),
        (["nginx", "--servername", "a; return 200"], "--servername"),
        (["nginx", "--max-body-size", "many"], "--max-body-size"),
        (["apache"], "apache"),
        (["nginx", "--http", "http"], "http"),
    ],
)
def test_the_command_refuses(omero: Omero, arguments: list[str], words: str) -> None:
    done = omero.run("web", "config", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr

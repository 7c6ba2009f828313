"""The playbook for web hosts on a host of its own: from nothing, again, mended, refused, with an application."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from omeroadmin.system.clock import wait_until
from tests.support.components import require_program
from tests.support.omero import Omero
from tests.support.small_wheels import small_wheel
from tests.support.testhosts import Site, SiteHost, running_hosts

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes namespaces")]
SITE = "etc/nginx/sites-available/omero-web"
APPLICATION = '''
import http.server, os, shlex, signal, sys
PID = os.path.join(os.environ["OMERODIR"], "var", "django.pid")
PROPERTIES = os.path.join(os.environ["OMERODIR"], "etc", "grid", "properties")

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(open(PROPERTIES, "rb").read())

def main():
    """Stands in for OMERO.web's program: loads properties, and answers with them."""
    if sys.argv[1] == "load":
        with open(sys.argv[3].replace("*", "00-omero-web")) as source, open(PROPERTIES, "w") as target:
            words = [shlex.split(line, comments=True) for line in source]
            target.writelines(f"{name}={value}\\n" for *_, name, value in filter(lambda found: len(found) > 3, words))
    elif sys.argv[1:3] == ["web", "stop"]:
        os.kill(int(open(PID).read()), signal.SIGTERM)
        os.unlink(PID)
    else:
        server = http.server.HTTPServer(("127.0.0.1", 4080), Page)
        if os.fork() == 0:
            os.setsid()
            for number in range(3):
                os.dup2(os.open(os.devnull, os.O_RDWR), number)
            with open(PID, "w") as target:
                target.write(str(os.getpid()))
            server.serve_forever()
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_hosts(tmp_path_factory.mktemp("web"), ["web1"]) as running:
        small_wheel(running.dist, "omero_web", "5.0", APPLICATION, program="omero")
        small_wheel(running.dist, "django_redis", "6.0")
        yield running


@pytest.fixture(scope="module")
def omero(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Omero:
    inventory = site.inventory(
        tmp_path_factory.mktemp("inventory") / "hosts.yml",
        {"web": ["web1"]},
        {"omero_web_names": ["omero.example.org"]},
    )
    return Omero(site.home, extra={"OMERO_HOSTS": str(inventory)})


def apply(omero: Omero, *options: str) -> subprocess.CompletedProcess[str]:
    return omero.run("hosts", "apply", "web", "--yes", "--detailed-exitcode", *options, timeout=280)


def get(host: SiteHost, path: str = "/") -> tuple[int, str]:
    """What a visitor gets who checks the certificate."""
    trusted = ssl.create_default_context(cadata=(host.root / "etc/nginx/tls/omero-web.pem").read_text())
    with contextlib.closing(http.client.HTTPSConnection(host.address, context=trusted, timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def redirected(host: SiteHost, path: str) -> tuple[int, str | None]:
    """Where a visitor is led who comes without TLS."""
    with contextlib.closing(http.client.HTTPConnection(host.address, timeout=30)) as connection:
        connection.request("GET", path, headers={"Host": "omero.example.org"})
        answer = connection.getresponse()
        return answer.status, answer.headers["Location"]


def changes(omero: Omero, *options: str) -> list[str]:
    done = omero.run("hosts", "plan", "web", "--json", *options)
    document: dict[str, Any] = json.loads(done.stdout)
    found = [change for host in document["hosts"] for change in host["changes"]]
    return [change["words"] for change in found if not change["waits"]]


def test_site_comes_from_nothing_and_stays(omero: Omero, site: Site) -> None:
    require_program("openssl")
    host = site["web1"]
    done = apply(omero)
    assert done.returncode == 8, done.stdout + done.stderr
    status, page = get(host)
    assert status == 502
    assert "OMERO.web is having a short break" in page
    wanted = (301, "https://omero.example.org/webclient/?show=image-1")
    # Until nginx's last process with the earlier configuration has gone, it may be the one that answers.
    assert wait_until(lambda: redirected(host, "/webclient/?show=image-1") == wanted, timeout=30)
    assert (host.root / "etc/nginx/tls/omero-web.key").stat().st_mode & 0o777 == 0o600
    again = apply(omero)
    assert again.returncode == 0, again.stdout + again.stderr


def test_drift_is_shown_and_mended(omero: Omero, site: Site) -> None:
    host = site["web1"]
    (host.root / "etc/nginx/tls/omero-web.key").chmod(0o644)
    (host.root / "opt/omero/web/config").chmod(0o777)
    with (host.root / SITE).open("a") as edited:
        edited.write("# by hand\n")
    host.run("service", "nginx", "stop")
    shown = changes(omero)
    assert len(shown) == 5, shown
    assert {"start nginx", "reload nginx", f"write the nginx site /{SITE}"} < set(shown)
    assert apply(omero).returncode == 8
    assert changes(omero) == []
    assert get(host)[0] == 502


def test_what_nginx_refuses_changes_nothing(omero: Omero, site: Site) -> None:
    host = site["web1"]
    before = (host.root / SITE).read_text()
    done = apply(omero, "--set", "omero_web_max_body_size=plenty")
    assert done.returncode == 5
    assert '"client_max_body_size" directive invalid value' in done.stdout + done.stderr
    assert (host.root / SITE).read_text() == before
    assert get(host)[0] == 502
    # What failed might have done something before it did.
    assert changes(omero) == ["reload nginx"]


def test_application_and_redis_where_they_are_switched_on(omero: Omero, site: Site) -> None:
    host = site["web1"]
    options = ("--set", "omero_web_application=true", "--set", "omero_web_setup_redis=true")
    done = apply(omero, *options)
    assert done.returncode == 8, done.stdout + done.stderr
    status, page = get(host)
    assert status == 200
    assert "omero.web.session_engine=django.contrib.sessions.backends.cache\n" in page
    assert 'omero.web.caches={"default": {"BACKEND": "django_redis.cache.RedisCache"' in page
    host.run("redis-cli", "ping")
    assert apply(omero, *options).returncode == 0
    # Another property: the application is started again with it.
    assert apply(omero, *options, "--set", "omero_web_prefix=/omero").returncode == 8
    assert "omero.web.prefix=/omero\n" in get(host, "/omero/")[1]
    require_program("shellcheck")
    subprocess.run(["shellcheck", str(host.root / "etc/init.d/omero-web")], check=True, timeout=60)
    run = json.loads(omero.run("hosts", "report", "--json").stdout)["run"]
    assert omero.run("hosts", "undo", run, "--yes").returncode == 0
    assert "omero.web.prefix=\n" in get(host)[1]

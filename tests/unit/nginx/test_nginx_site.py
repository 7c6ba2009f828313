"""From settings and wish to a configuration, and the files that it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.nginx.site import SiteKind, SiteWish, closed_directories, plan_files, plan_site, render_site
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost

INSTANCE = Instance(Path("/opt/omero/web/omero-web"))
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "nginx"
PREFIXED = {
    "omero.web.prefix": "/omero",
    "omero.web.static_url": "/omero/static/",
    "omero.web.application_server.port": "14080",
    "omero.web.nginx_server_extra_config": '["listen 443 ssl;", "ssl_certificate /etc/ssl/omero.pem;"]',
}


@pytest.mark.parametrize("kind", list(SiteKind))
@pytest.mark.parametrize(("name", "values"), [("default", {}), ("prefixed", PREFIXED)])
def test_golden(kind: SiteKind, name: str, values: dict[str, str]) -> None:
    expected = (GOLDEN / f"{kind}.{name}.conf").read_text()
    assert render_site(plan_site(INSTANCE, Settings(values), SiteWish(kind))) == expected


@pytest.mark.parametrize(("kind", "port"), [(SiteKind.NGINX, 80), (SiteKind.DEVELOPMENT, 8080)])
def test_usual_ports(kind: SiteKind, port: int) -> None:
    assert plan_site(INSTANCE, Settings({}), SiteWish(kind)).http == port


@pytest.mark.parametrize("kind", [SiteKind.NGINX, SiteKind.DEVELOPMENT])
def test_the_application_servers_port_is_taken(kind: SiteKind) -> None:
    with pytest.raises(AdminError) as raised:
        plan_site(INSTANCE, Settings({}), SiteWish(kind, http=4080))
    assert raised.value.code == "nginx-port-taken"
    assert "4080" in raised.value.message


def test_a_location_listens_nowhere() -> None:
    site = plan_site(INSTANCE, Settings({}), SiteWish(SiteKind.LOCATION, http=4080))
    assert site.backend == "127.0.0.1:4080"


def test_static_root_of_ones_own() -> None:
    site = plan_site(INSTANCE, Settings({"omero.web.static_root": "/srv/static"}), SiteWish(SiteKind.NGINX))
    assert site.static_root == '"/srv/static/"'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("omero.web.static_root", '/srv/"; return 200; "'),
        ("omero.web.static_url", "/static/ { } location /x"),
        ("omero.web.static_url", "https://cdn.example.org/static/"),
        ("omero.web.application_server.host", "localhost; x"),
        ("omero.web.application_server.port", "http"),
        ("omero.web.prefix", "/a; return 200"),
    ],
)
def test_no_value_brings_a_directive(name: str, value: str) -> None:
    with pytest.raises(AdminError) as raised:
        plan_site(INSTANCE, Settings({name: value}), SiteWish(SiteKind.NGINX))
    assert name in raised.value.message


def test_an_instance_whose_path_cannot_be_quoted() -> None:
    with pytest.raises(AdminError) as raised:
        plan_site(Instance(Path("/opt/$x")), Settings({}), SiteWish(SiteKind.NGINX))
    assert raised.value.code == "nginx-value-invalid"


def test_files_are_planned_once(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    plan = plan_files(instance, SiteKind.DEVELOPMENT)
    assert len(plan.steps) == 4
    apply_plan(plan, LocalHost())
    page = (tmp_path / "etc" / "templates" / "error" / "maintainance.html").read_text()
    assert "OMERO.web" in page
    assert "http" not in page.replace("http-equiv", ""), "the page must not need anything from elsewhere"
    assert not plan_files(instance, SiteKind.DEVELOPMENT)


def test_an_own_maintenance_page_stays(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.error_pages.mkdir(parents=True)
    (instance.error_pages / "maintainance.html").write_text("mine")
    assert not plan_files(instance, SiteKind.NGINX)


def test_closed_directories_are_named(tmp_path: Path) -> None:
    instance = Instance(tmp_path / "x")
    instance.error_pages.mkdir(parents=True)
    instance.etc.chmod(0o700)
    assert instance.etc in closed_directories(instance)
    assert instance.error_pages not in closed_directories(instance)
    instance.etc.chmod(0o711)
    assert instance.etc not in closed_directories(instance)

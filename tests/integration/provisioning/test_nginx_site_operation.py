"""Sites of nginx: what nginx refuses is never put in place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.agents import Worker
from tests.support.nginx import like_debian
from tests.support.wishes import planned

SITE = "server { listen 8088; location / { return 204; } }\n"


@pytest.fixture
def nginx(tmp_path: Path) -> Path:
    """nginx's configuration, as Debian has it, for a user's own nginx."""
    return like_debian(tmp_path / "nginx")


def test_site_comes_on_off_and_back(local: Worker, nginx: Path) -> None:
    usual = {"name": "omero", "directory": str(nginx)}
    wish = local.wish("nginx-site", content=SITE, remove_default=True, **usual)
    assert local.apply(wish) == [
        "switch nginx's default site off",
        f"write the nginx site {nginx}/sites-available/omero",
        "switch the nginx site omero on",
    ]
    assert (nginx / "sites-enabled" / "omero").read_text() == SITE
    assert not (nginx / "sites-enabled" / "default").exists()
    local.undo()
    assert [entry.name for entry in (nginx / "sites-enabled").iterdir()] == ["default"]
    local.apply(wish)
    assert local.apply(wish) == []
    assert local.apply({**wish, "enabled": False}) == ["switch the nginx site omero off"]
    assert local.apply({**wish, "content": "", "state": "absent"}) == ["remove the nginx site omero"]
    assert sorted(path.name for path in nginx.rglob("*omero*")) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("server { listen 8088; locaton / {} }\n", 'unknown directive "locaton" in {site}:1'),
        ("server { listen 8087 default_server; }\n", "a duplicate default server for 0.0.0.0:8087 in {site}:1"),
    ],
)
def test_site_that_nginx_refuses_leaves_the_present_one(local: Worker, nginx: Path, content: str, why: str) -> None:
    usual = {"name": "omero", "directory": str(nginx)}
    local.apply(local.wish("nginx-site", content=SITE, **usual))
    error = local.failure(local.wish("nginx-site", content=content, **usual))
    assert error["code"] == "host-nginx-invalid"
    assert why.format(site=nginx / "sites-available" / "omero") in error["message"]
    assert (nginx / "sites-enabled" / "omero").read_text() == SITE
    assert not list(nginx.glob(".omeroadmin*"))


def test_site_of_a_distribution_with_conf_d_only(local: Worker, nginx: Path) -> None:
    for name in ("sites-available", "sites-enabled"):
        shutil.rmtree(nginx / name)
    usual = {"name": "omero", "directory": str(nginx)}
    (nginx / "conf.d" / "default.conf").write_text("server { listen 8088; }\n")
    wish = local.wish("nginx-site", content=SITE, remove_default=True, **usual)
    assert local.apply(wish)[-1] == f"write the nginx site {nginx}/conf.d/omero.conf"
    local.undo()
    assert [entry.name for entry in (nginx / "conf.d").iterdir()] == ["default.conf"]
    local.apply(wish)
    assert local.apply(wish) == []
    assert local.apply({**wish, "enabled": False}) == ["remove the nginx site omero"]
    (nginx / "nginx.conf").write_text("events {}\nhttp {}\n")
    assert local.failure(wish)["code"] == "host-nginx-elsewhere"


def test_plan_before_nginx_is_there() -> None:
    facts = {
        "file": "/etc/nginx/conf.d/omero.conf", "exists": False, "same": False, "by_link": False, "enabled": False,
        "default": False,
    }  # fmt: skip
    assert planned("nginx-site", facts, name="omero", content=SITE) == ["write"]

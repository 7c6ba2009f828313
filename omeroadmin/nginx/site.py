"""The nginx configuration in front of OMERO.web, for a system-wide nginx or for one's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from omeroadmin.errors import usage_error
from omeroadmin.nginx import values
from omeroadmin.render.engine import render
from omeroadmin.resources import templates_directory
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.kinds import MakeDirectory, WriteFile
from omeroadmin.steps.plan import Plan, Step

_BACKEND_PORT = "omero.web.application_server.port"


class SiteKind(StrEnum):
    """What the configuration is for."""

    NGINX = "nginx"
    LOCATION = "nginx-location"
    DEVELOPMENT = "nginx-development"


@dataclass(frozen=True)
class SiteWish:
    """What was asked for on the command line.

    :param http: port to listen on; ``None``: 80, or 8080 for development
    :param servername: names for ``server_name``
    :param max_body_size: largest request; 0 is no limit
    """

    kind: SiteKind
    http: int | None = None
    servername: str = "$hostname"
    max_body_size: str = "0"


@dataclass(frozen=True)
class Site:
    """Checked values of a configuration, as they stand in it; paths are quoted.

    :param suffix: what tells the names of several OMERO.webs in one nginx apart, e.g. ``_omero``
    :param location: URL path of OMERO.web
    :param static_url: URL path of the static files, with slashes at both ends
    :param backend: ``host:port`` of the application server
    """

    kind: SiteKind
    http: int
    servername: str
    max_body_size: str
    suffix: str
    location: str
    static_url: str
    static_root: str
    error_pages: str
    backend: str
    extra: tuple[str, ...]
    pid_file: str
    log_directory: Path
    temporary_directory: Path


def plan_site(instance: Instance, settings: Settings, wish: SiteWish) -> Site:
    """Check all values and put them together.

    :raises AdminError: ``nginx-port-taken``, ``nginx-value-invalid``, ``nginx-extra-config-invalid``,
        ``setting-invalid``
    """
    http = values.port(_wished_port(wish), "--http")
    backend_port = values.port(settings.number(_BACKEND_PORT), _BACKEND_PORT)
    if http == backend_port and wish.kind is not SiteKind.LOCATION:
        raise usage_error(
            "nginx-port-taken",
            f"port {http} is {_BACKEND_PORT}: nginx can't listen where the application server does",
            "choose another port with --http",
        )
    prefix = values.prefix(settings.text("omero.web.prefix"))
    static_root = settings.text("omero.web.static_root").replace("${OMERODIR}", str(instance.omerodir))
    for path in (instance.var, instance.error_pages):
        values.quoted_path(path, "OMERODIR")
    return Site(
        kind=wish.kind,
        http=http,
        servername=values.server_names(wish.servername),
        max_body_size=values.body_size(wish.max_body_size),
        suffix=re.sub(r"[^A-Za-z0-9]", "_", prefix),
        location=prefix or "/",
        static_url=values.url_path(settings.text("omero.web.static_url"), "omero.web.static_url") + "/",
        static_root=values.quoted_path(Path(static_root.rstrip("/")), "omero.web.static_root")[:-1] + '/"',
        error_pages=values.quoted_path(instance.error_pages, "OMERODIR"),
        backend=values.backend(settings.text("omero.web.application_server.host"), backend_port),
        extra=values.extra_lines(settings.text("omero.web.nginx_server_extra_config")),
        pid_file=values.quoted_path(instance.var / "pid.nginx", "OMERODIR"),
        log_directory=instance.log_directory,
        temporary_directory=instance.var / "nginx_tmp",
    )


def _wished_port(wish: SiteWish) -> int:
    if wish.http is not None:
        return wish.http
    return 8080 if wish.kind is SiteKind.DEVELOPMENT else 80


def render_site(site: Site) -> str:
    """The configuration as text."""
    return render(f"nginx/{site.kind}.conf.j2", {"site": site})


def plan_files(instance: Instance, kind: SiteKind) -> Plan:
    """What the configuration refers to and isn't there: the maintenance page, and directories for one's own nginx."""
    steps: list[Step] = []
    page = instance.error_pages / "maintainance.html"
    if not page.exists():
        if not instance.error_pages.is_dir():
            steps.append(MakeDirectory(instance.error_pages, 0o755))
        content = (templates_directory() / "error" / page.name).read_bytes()
        steps.append(WriteFile(page, content, 0o644, "shown while OMERO.web is down"))
    if kind is SiteKind.DEVELOPMENT:
        steps += [
            MakeDirectory(directory, 0o700)
            for directory in (instance.log_directory, instance.var / "nginx_tmp")
            if not directory.is_dir()
        ]
    return Plan("files of the nginx configuration", tuple(steps))


def closed_directories(instance: Instance) -> list[Path]:
    """Directories that keep another user's nginx from the maintenance page and the static files."""
    wanted = (instance.error_pages, instance.static_directory)
    above = {directory for path in wanted for directory in (path, *path.parents) if directory.is_dir()}
    return sorted(directory for directory in above if not directory.stat().st_mode & 0o001)

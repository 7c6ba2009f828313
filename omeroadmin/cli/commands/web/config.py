"""``omero web config``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.output import print_lines, say
from omeroadmin.errors import usage_error
from omeroadmin.nginx.site import (
    SiteKind,
    SiteWish,
    closed_directories,
    plan_files,
    plan_site,
    render_site,
)
from omeroadmin.profiles.store import load_settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost


def command(
    kind: Annotated[SiteKind, typer.Argument(metavar="TYPE", help="nginx, nginx-location or nginx-development.")],
    http: Annotated[
        int | None,
        typer.Option("--http", metavar="PORT", help="Port to listen on; by default 80, for development 8080."),
    ] = None,
    servername: Annotated[str, typer.Option("--servername", metavar="NAME", help="Names of the site.")] = "$hostname",
    max_body_size: Annotated[
        str, typer.Option("--max-body-size", metavar="SIZE", help="Largest request, e.g. 20m; 0 is no limit.")
    ] = "0",
    system: Annotated[bool, typer.Option("--system", hidden=True)] = False,
) -> None:
    """Print an nginx configuration for OMERO.web.

    nginx is a site of its own, nginx-location is for a server block that you write, and nginx-development is a whole
    nginx that the instance's user can start. While OMERO.web is down, visitors get the maintenance page in
    OMERODIR/etc/templates/error, which is put there if it is missing.

    Example: omero web config nginx --servername omero.example.org
    """
    if system:
        raise usage_error(
            "option-removed", "--system is no longer there: it is what TYPE nginx does", "omero web config nginx"
        )
    instance = require_instance()
    wish = SiteWish(kind, http, servername, max_body_size)
    text = render_site(plan_site(instance, load_settings(instance), wish))
    apply_plan(plan_files(instance, kind), LocalHost())
    print_lines(text.rstrip("\n"))
    closed = closed_directories(instance) if kind is not SiteKind.DEVELOPMENT else []
    if closed:
        say(f"omero: an nginx of another user can't reach below {', '.join(map(str, closed))}")
        say(f"  -> let it pass, and no more than that: chmod o+x {' '.join(map(str, closed))}")

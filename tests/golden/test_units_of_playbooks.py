"""What playbooks write for the service manager is what `contrib/` holds, where their variables have their defaults."""

from __future__ import annotations

import pytest

from omeroadmin.render.engine import render
from tests.support.checkout import ROOT

DEFAULTS = {
    "omero_server_basedir": "/opt/omero/server",
    "omero_server_datadir": "/OMERO",
    "omero_server_omerodir": "/opt/omero/server/OMERO.server",
    "omero_server_program": "/opt/omero/server/venv3/bin/omero",
    "omero_server_start_timeout": 300,
    "omero_server_system_user": "omero-server",
    "omero_server_systemd_limit_nofile": 65536,
    "omero_server_umask": "0027",
}


@pytest.mark.parametrize(
    ("template", "copy", "differs"),
    [
        ("systemd/omero-server.service.j2", "systemd/omero-server.service", 1),
        ("init.d/omero-server.j2", "init.d/omero", 2),
    ],
)
def test_templates_make_what_contrib_holds(template: str, copy: str, differs: int) -> None:
    made = render(template, DEFAULTS).splitlines()
    held = (ROOT / "contrib" / copy).read_text().splitlines()
    assert len(made) == len(held)
    assert len([line for line, other in zip(made, held, strict=True) if line != other]) == differs

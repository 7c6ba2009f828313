"""Root is refused before anything else happens."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.schema.instance import Instance
from omeroadmin.workflows.lifecycle import restart, start


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_is_refused(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    for operation in (start, restart):
        with pytest.raises(AdminError) as caught:
            operation(instance)
        assert caught.value.code == "started-by-root"
        assert caught.value.hint == "runuser -u USER -- omero admin start"
    instance.var.mkdir()
    nobody = pwd.getpwnam("nobody")
    os.chown(instance.var, nobody.pw_uid, nobody.pw_gid)
    with pytest.raises(AdminError) as caught:
        start(instance)
    assert caught.value.hint == "runuser -u nobody -- omero admin start"

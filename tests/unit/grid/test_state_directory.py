"""The state directory is made where nothing can have been lost with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.workflows.preconditions import check_directories, make_state_directory


@pytest.mark.parametrize("own_database", [False, True])
def test_there_is_no_state_directory(tmp_path: Path, *, own_database: bool) -> None:
    instance = Instance(tmp_path / "OMERO.server")
    instance.grid_directory.mkdir(parents=True)
    (tmp_path / "OMERO").mkdir()
    settings = Settings({"omero.data.dir": str(tmp_path / "OMERO"), "omero.db.embedded": str(own_database).lower()})
    make_state_directory(instance, settings)
    if own_database:
        with pytest.raises(AdminError, match="the state directory") as caught:
            check_directories(instance, settings)
        assert caught.value.code == "directory-missing"
        assert not instance.var.exists()
    else:
        check_directories(instance, settings)
        assert instance.var.stat().st_mode & 0o777 == 0o700
        assert instance.temporary_directory.is_dir()

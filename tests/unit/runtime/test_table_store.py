from __future__ import annotations

import contextlib
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tables

from omeroadmin.errors import AdminError
from omeroadmin.runtime.kernel.failure import NOT_INSTALLED, ServiceFailure
from omeroadmin.runtime.kernel.localserver import Refusal, Request
from omeroadmin.runtime.services.tables.service import Tables
from omeroadmin.runtime.services.tables.service import run as run_tables
from omeroadmin.runtime.services.tables.store import Column, TableStore
from tests.support.servicecontext import service_context

COLUMNS = [Column("n", "long"), Column("x", "double"), Column("ok", "bool"), Column("s", "string")]
ROWS = [[1, 1.5, True, "a"], [-(2**63), 2, False, "é" * 128]]


def test_tables_are_hdf5(tmp_path: Path) -> None:
    store = TableStore(tmp_path)
    assert store.create(1234, COLUMNS, ROWS) == 2
    path = tmp_path / "Files" / "Dir-001" / "1234"
    with tables.open_file(str(path)) as file:
        stored = file.get_node("/OME/Measurements")
        assert stored.attrs.types == ["LongColumn", "DoubleColumn", "BoolColumn", "StringColumn"]
    assert store.append(1234, [[7, 0, True, ""]]) == 3
    found = store.read(1234, 0, None)
    assert found["columns"][0] == {"name": "n", "type": "long"}
    assert found["rows"] == [*ROWS, [7, 0.0, True, ""]]
    assert store.read(1234, 1, 2)["rows"] == [ROWS[1]]
    assert store.read(1234, 5, 9) == {**found, "rows": []}
    assert [entry.name for entry in path.parent.iterdir()] == ["1234"]


class Trap:
    """A value that makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_a_file_that_somebody_else_made_runs_no_code(tmp_path: Path) -> None:
    store, trap = TableStore(tmp_path), tmp_path / "sprung"
    store.create(1, COLUMNS, ROWS)
    with tables.open_file(str(tmp_path / "Files" / "1"), "a") as file:
        for node in (file.root, file.get_node("/OME"), file.get_node("/OME/Measurements")):
            for name in ("FILTERS", "TITLE", "CLASS", "names"):
                node._v_attrs._g_setattr(node, name, np.bytes_(pickle.dumps(Trap(trap), 0)))
    with contextlib.suppress(Exception):
        store.read(1, 0, None)
    assert not trap.exists()


def test_empty_tables(tmp_path: Path) -> None:
    store = TableStore(tmp_path)
    store.create(1, COLUMNS, [])
    assert store.read(1, 0, None)["rows"] == []


@pytest.mark.parametrize(
    "row",
    [[1], [1, 2, 3, 4], ["1", 1.0, True, "a"], [True, 1.0, True, "a"], [1, "x", True, "a"], [2**63, 1, True, "a"],
     [1, 1.0, 1, "a"], [1, 1.0, True, "x" * 257], [1, 1.0, True, None], "text"],
)  # fmt: skip
def test_wrong_values_are_refused_and_change_nothing(tmp_path: Path, row: Any) -> None:
    store = TableStore(tmp_path)
    store.create(1, COLUMNS, ROWS)
    with pytest.raises(AdminError) as caught:
        store.append(1, [[5, 5, True, "s"], row])
    assert caught.value.code == "table-invalid"
    with pytest.raises(AdminError) as caught:
        store.create(2, COLUMNS, [row])
    assert caught.value.code == "table-invalid"
    assert store.read(1, 0, None)["rows"] == ROWS
    assert [path.name for path in (tmp_path / "Files").iterdir()] == ["1"]


@pytest.mark.parametrize("columns", [[], [Column("a", "blob")], [Column("a", "long")] * 2, [Column("", "long")]])
def test_wrong_columns_are_refused(tmp_path: Path, columns: list[Column]) -> None:
    with pytest.raises(AdminError) as caught:
        TableStore(tmp_path).create(1, columns, [])
    assert caught.value.code == "table-invalid"


def test_missing_and_broken_tables(tmp_path: Path) -> None:
    store = TableStore(tmp_path)
    with pytest.raises(AdminError) as caught:
        store.read(1, 0, None)
    assert caught.value.code == "table-missing"
    (tmp_path / "Files").mkdir()
    (tmp_path / "Files" / "1").write_text("no table")
    for attempt in (lambda: store.read(1, 0, None), lambda: store.append(1, [])):
        with pytest.raises(AdminError) as caught:
            attempt()
        assert caught.value.code == "table-unreadable"
    with pytest.raises(AdminError) as caught:
        store.create(1, COLUMNS, [])
    assert caught.value.code == "table-exists"


def test_requests(tmp_path: Path) -> None:
    with service_context(tmp_path, {"omero.data.dir": str(tmp_path)}, kind="Tables", server_id="Tables-0") as context:
        service = Tables(context)
        body = {"columns": [{"name": "n", "type": "long"}], "rows": [[1], [2], [3]]}
        assert service.answer(Request("PUT", "/tables/5", body=body)) == (201, {"id": 5, "rows": 3})
        assert service.answer(Request("POST", "/tables/5/rows", body={"rows": [[4]]}))[1] == {"id": 5, "rows": 4}
        status, found = service.answer(Request("GET", "/tables/5", {"start": "1", "stop": "3"}))
        assert isinstance(found, dict)
        assert (status, found["rows"], found["total"]) == (200, [[2], [3]], 4)
        for request, refused in (
            (Request("GET", "/tables/6"), 404),
            (Request("GET", "/tables/x"), 404),
            (Request("GET", "/other/6"), 404),
            (Request("PUT", "/tables/5", body=body), 409),
            (Request("PUT", "/tables/7", body={"columns": 1}), 400),
            (Request("PUT", "/tables/7", body={**body, "rows": {}}), 400),
            (Request("DELETE", "/tables/5"), 405),
        ):
            with pytest.raises(Refusal) as caught:
                service.answer(request)
            assert caught.value.status == refused


def test_without_pytables_the_server_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with service_context(tmp_path) as context, pytest.raises(ServiceFailure) as caught:
        run_tables(context)
    assert caught.value.status == NOT_INSTALLED
    assert caught.value.reason == "PyTables is not installed: pip install 'omeroadmin[tables]'"

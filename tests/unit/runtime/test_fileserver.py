from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.runtime.kernel.localserver import Refusal, Request
from omeroadmin.runtime.services.fileserver.service import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "ManagedRepository"
    (root / "bob").mkdir(parents=True)
    for name in ("a.tif", "b.tif", "c.tif"):
        (root / "bob" / name).write_bytes(b"abc")
    (root / "bob" / "gone.tif").symlink_to("/nowhere")
    (tmp_path / "secret").write_text("x")
    return Repository(root)


def ask(repository: Repository, request_path: str, **query: str) -> dict[str, object]:
    status, document = repository.answer(Request("GET", request_path, query))
    assert status == 200
    assert isinstance(document, dict)
    return document


def test_listing_in_pages(repository: Repository) -> None:
    first = ask(repository, "/list", path="bob", limit="2")
    assert first["next"] == "b.tif"
    rest = ask(repository, "/list", path="bob", after="b.tif")
    assert rest["next"] is None
    entries = rest["entries"]
    assert isinstance(entries, list)
    assert [(entry["name"], entry["kind"]) for entry in entries] == [("c.tif", "file"), ("gone.tif", "other")]
    assert ask(repository, "/list", path="")["next"] is None


def test_facts_and_checksums(repository: Repository) -> None:
    facts = ask(repository, "/stat", path="bob/a.tif")
    assert (facts["kind"], facts["size"]) == ("file", 3)
    assert ask(repository, "/hash", path="bob/a.tif")["hash"] == "a9993e364706816aba3e25717850c26c9cd0d89d"
    assert ask(repository, "/hash", path="bob/a.tif", algorithm="CRC-32")["hash"] == "352441c2"


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/stat", {"path": "../secret"}, 403),
        ("/stat", {"path": "/etc/passwd"}, 403),
        ("/stat", {"path": "bob/none"}, 404),
        ("/list", {"path": "bob/a.tif"}, 404),
        ("/stat", {"path": "bob/gone.tif"}, 404),
        ("/hash", {"path": "bob"}, 422),
        ("/hash", {"path": "bob/a.tif", "algorithm": "x"}, 422),
        ("/other", {}, 404),
    ],
)
def test_refusals(repository: Repository, path: str, query: dict[str, str], status: int) -> None:
    with pytest.raises(Refusal) as caught:
        repository.answer(Request("GET", path, query))
    assert caught.value.status == status


def test_only_reading(repository: Repository) -> None:
    with pytest.raises(Refusal):
        repository.answer(Request("DELETE", "/stat", {"path": "bob/a.tif"}))

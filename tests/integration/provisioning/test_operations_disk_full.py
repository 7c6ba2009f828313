"""On a full disk an operation fails in one line, leaves nothing there, and others go on."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from omeroadmin.provisioning.sources import with_source
from tests.support.agents import Worker, with_own_state, worker

pytestmark = pytest.mark.root
MOUNTED = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=6m none "$0" && exec "$@"')


def files(found: Worker, directory: Path) -> str:
    output: str = found.session.run(["find", str(directory), "-type", "f"], 30)["output"]
    return output


def offered(found: Worker, kind: str, source: Path, path: Path) -> dict[str, object]:
    wish = with_source(found.wish(kind, source=str(source), path=str(path)), source)
    found.session.offer(wish["digest"], source)
    return wish


def test_what_does_not_fit_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, small = tmp_path / "s.zip", tmp_path / "small"
    small.mkdir()
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("large", os.urandom(8 << 20))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with worker((*MOUNTED, str(small), *with_own_state())) as found:
        for kind, code in (("archive", "host-file-not-unpacked"), ("file", "host-file-not-written")):
            error = found.failure(offered(found, kind, source, small / kind))
            assert (error["code"], "No space left" in error["message"]) == (code, True)
        assert files(found, small) == ""

    monkeypatch.setenv("HOME", str(small))
    state = 'mkdir -p "$0"/lib && mount --bind "$0"/lib /var/lib && mount -t tmpfs none /run && exec "$@"'
    with worker((*MOUNTED, str(small), "sh", "-c", state, str(small))) as found:
        error = found.failure(offered(found, "archive", source, tmp_path / "place"))
        assert "No space left" in error["message"]
        assert "arrived" not in files(found, small)
        assert len(found.apply(found.wish("directory", path=str(tmp_path / "next")))) == 1

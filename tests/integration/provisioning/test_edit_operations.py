"""Lines and blocks of files that are there, come later, or aren't text."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.provisioning.agent.files import temporary_name
from tests.support.agents import Worker, leftovers


def test_a_file_of_any_bytes_keeps_the_others_and_its_mode(local: Worker, tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_bytes(b"\xff\xfe latin\n#port = 1\nlast")
    path.chmod(0o640)
    line = local.wish("line", path=str(path), line="port = 5432", match="^#?port")
    block = local.wish("block", path=str(path), name="n", content="x\ny\n", comment=";", after="latin")
    assert len(local.apply(line, block)) == 2
    run = local.run
    expected = b"\xff\xfe latin\n; BEGIN omero n\nx\ny\n; END omero n\nport = 5432\nlast\n"
    assert path.read_bytes() == expected
    assert path.stat().st_mode & 0o7777 == 0o640
    Path(temporary_name(str(path))).write_text("half")
    assert local.apply(line, block) == [f"remove what an interrupted run left beside {path}"]
    assert local.apply(line, block) == []
    assert not leftovers(tmp_path)
    gone = ({**line, "state": "absent"}, {**block, "state": "absent"})
    assert len(local.apply(*gone)) == 2
    assert path.read_bytes() == b"\xff\xfe latin\nlast\n"
    local.undo()
    assert path.read_bytes() == expected
    local.run = run
    local.undo()
    assert path.read_bytes() == b"\xff\xfe latin\n#port = 1\nlast"


def test_a_file_that_comes_later(local: Worker, tmp_path: Path) -> None:
    path = tmp_path / "later.conf"
    line = local.wish("line", path=str(path), line="a = 1")
    assert local.facts("line", path=str(path), line="a = 1") == {"exists": False, "unfinished": False}
    assert local.failure(line)["code"] == "host-file-missing"
    assert local.apply({**line, "state": "absent"}) == []
    assert len(local.apply(local.wish("file", path=str(path), content="b = 2\n"), line)) == 2
    assert path.read_text() == "b = 2\na = 1\n"
    made = local.wish("block", path=str(tmp_path / "made"), name="n", content="x", create=True)
    assert len(local.apply(made)) == 1
    assert local.undo() == [f"removed {tmp_path / 'made'}"]


def test_secrets_are_in_no_facts_and_no_copy(local: Worker, tmp_path: Path) -> None:
    path = tmp_path / "pgpass"
    path.write_text("host:hidden-before\n")
    wish = local.wish("line", path=str(path), line="host:hidden-after", match="^host", secret=True)
    assert "hidden" not in str(local.facts("line", path=str(path), line="host:hidden-after", match="^h", secret=True))
    assert "hidden" not in str(local.messages(wish))
    assert path.read_text() == "host:hidden-after\n"
    state = tmp_path / "home" / ".local" / "state" / "omeroadmin"
    assert not any("hidden" in found.read_text() for found in state.rglob("*") if found.is_file())

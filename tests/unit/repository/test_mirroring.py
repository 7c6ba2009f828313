"""Trees that are made like others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.repository.mirroring import differences, extent, mirror

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)
TREES = st.recursive(
    st.binary(max_size=40), lambda inner: st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
).filter(lambda tree: isinstance(tree, dict))


def plant(place: Path, tree: object) -> None:
    """Write a tree of directories and contents."""
    if isinstance(tree, bytes):
        place.write_bytes(tree)
        return
    assert isinstance(tree, dict)
    place.mkdir()
    for name, inner in tree.items():
        plant(place / name, inner)


def content(place: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything below a directory: mode, time and bytes."""
    found = {}
    for path in place.rglob("*"):
        status = path.lstat()
        data = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b"/"
        found[str(path.relative_to(place))] = (status.st_mode, status.st_mtime_ns, data)
    return found


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(first=TREES, second=TREES)
def test_any_tree_becomes_like_any_other(
    tmp_path_factory: pytest.TempPathFactory, first: object, second: object
) -> None:
    place = tmp_path_factory.mktemp("trees")
    plant(place / "source", first)
    plant(place / "target", second)
    mirror(place / "source", place / "target")
    assert content(place / "target") == content(place / "source")
    assert differences(place / "source", place / "target") == ()
    again = mirror(place / "source", place / "target")
    assert (again.copied_files, again.removed) == (0, 0)


def test_links_modes_and_times(tmp_path: Path) -> None:
    source, outside = tmp_path / "source", tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    source.mkdir()
    (source / "file").write_text("words")
    (source / "file").chmod(0o640)
    os.utime(source / "file", ns=(1, 1_234_567_890_123_456_789))
    (source / "link").symlink_to(outside)
    (source / "dangling").symlink_to("nowhere")
    target = tmp_path / "target"
    target.mkdir()
    (target / "surplus").symlink_to(outside)
    done = mirror(source, target)
    assert content(target) == content(source)
    assert (outside / "kept").read_text() == "kept"
    assert (done.files, done.size, done.removed) == (1, 5, 1)
    assert extent(source)[0] == 1


def test_sockets_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    os.mkfifo(tmp_path / "source" / "pipe")
    done = mirror(tmp_path / "source", tmp_path / "target")
    assert done.left_out == [str(tmp_path / "source" / "pipe")]
    assert differences(tmp_path / "source", tmp_path / "target") == ()


def test_differences_are_named(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    plant(source, {"a": b"1", "b": b"2", "d": {"x": b""}})
    mirror(source, target)
    (target / "a").write_bytes(b"longer")
    (source / "b").unlink()
    (target / "d" / "x").unlink()
    (target / "d" / "x").mkdir()
    found = sorted(differences(source, target))
    assert found == ["a has another size or time", f"b is only in {target}", "d/x is another kind of file"]
    assert len(differences(source, target, limit=1)) == 1


def test_a_directory_that_is_closed_is_one_clear_line(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    plant(tmp_path / "source", {"d": {"a": b"1"}})
    (tmp_path / "source" / "d").chmod(0)
    try:
        with pytest.raises(AdminError) as caught:
            mirror(tmp_path / "source", tmp_path / "target")
    finally:
        (tmp_path / "source" / "d").chmod(0o700)
    assert caught.value.code == "copy-failed"
    assert str(tmp_path / "source" / "d") in caught.value.message


def test_killed_at_any_moment_it_is_gone_on_with(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    plant(source, {f"d{number}": {f"f{index}": bytes([index]) * 5000 for index in range(60)} for number in range(20)})
    program = (
        "import sys; from pathlib import Path; from omeroadmin.repository import mirroring; "
        "mirroring._BATCH_FILES = 7; mirroring.mirror(Path(sys.argv[1]), Path(sys.argv[2]), "
        "lambda done: print(flush=True))"
    )
    killed = 0
    for after in range(5, 900, 70):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(source), str(target)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            for _ in range(after):
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        for path in target.rglob("f*"):
            assert path.read_bytes() == (source / path.relative_to(target)).read_bytes(), "a name means a whole file"
    assert killed > 3
    mirror(source, target)
    assert content(target) == content(source)

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.repository import layout
from omeroadmin.resources import templates_directory
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost

HOST = LocalHost()


def test_paths_of_objects() -> None:
    data = Path("/OMERO")
    assert layout.pixels_path(data, 999) == Path("/OMERO/Pixels/999")
    assert layout.original_file_path(data, 999500) == Path("/OMERO/Files/Dir-999/999500")
    assert layout.thumbnail_path(data, 123456789) == Path("/OMERO/Thumbnails/Dir-123/Dir-456/123456789")
    pyramid = layout.pyramid_path(data, 1000)
    assert pyramid == Path("/OMERO/Pixels/Dir-001/1000_pyramid")
    assert layout.pyramid_lock_path(pyramid).name == ".1000_pyramid.pyr_lock"


def test_a_negative_id_is_refused() -> None:
    with pytest.raises(AdminError, match="-1"):
        layout.id_path(-1)


def test_data_directories_are_made_once(tmp_path: Path) -> None:
    settings = Settings({"omero.data.dir": str(tmp_path / "OMERO"), "omero.managed.dir": str(tmp_path / "managed")})
    plan = layout.plan_data_directories(settings, layout.inspect_data_directories(settings, HOST))
    apply_plan(plan, HOST)
    for path, mode in layout.data_directories(settings).items():
        assert path.stat().st_mode & 0o7777 == mode
    assert (tmp_path / "managed").is_dir()
    (tmp_path / "managed").chmod(0o2775)
    again = layout.plan_data_directories(settings, layout.inspect_data_directories(settings, HOST))
    assert not again, again.lines()


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "Pixels").write_text("")
    settings = Settings({"omero.data.dir": str(tmp_path)})
    with pytest.raises(AdminError, match="Pixels should be a directory"):
        layout.plan_data_directories(settings, layout.inspect_data_directories(settings, HOST))


def test_scripts_are_copied_and_changed_ones_stay(tmp_path: Path) -> None:
    shipped = templates_directory() / "scripts"
    target = tmp_path / "lib" / "scripts"
    apply_plan(layout.plan_scripts(target, shipped, HOST), HOST)
    assert {path.name for path in (target / "omero").iterdir()} == {path.name for path in shipped.glob("*.py")}
    assert not layout.plan_scripts(target, shipped, HOST)
    (target / "omero" / "ping.py").write_text("changed")
    (target / "omero" / "count_images.py").unlink()
    assert len(layout.plan_scripts(target, shipped, HOST).steps) == 1


def test_markers_are_java_text(tmp_path: Path) -> None:
    uuid = "6c2dae43-cfad-48ce-af6f-025569f9e6df"
    assert layout.read_repository_uuid(tmp_path, uuid) is None
    layout.write_repository_uuid(tmp_path, uuid, "ScriptRepo")
    marker = tmp_path / ".omero" / "repository" / uuid / "repo_uuid"
    assert marker.read_bytes() == b"\0\nScriptRepo"
    assert layout.read_repository_uuid(tmp_path, uuid) == "ScriptRepo"
    assert layout.encode_java_text("\0é\U0001f52c") == b"\0\x0a\xc0\x80\xc3\xa9\xed\xa0\xbd\xed\xb4\xac"


@pytest.mark.parametrize("content", [b"", b"\0", b"\0\x05abc", b"\0\x01\xff"])
def test_broken_markers_are_refused(content: bytes) -> None:
    with pytest.raises(AdminError) as caught:
        layout.decode_java_text(content)
    assert caught.value.code == "marker-invalid"


def test_overlong_marker_is_refused() -> None:
    with pytest.raises(AdminError, match="too long"):
        layout.encode_java_text("x" * 70000)


def test_the_database_uuid_cannot_lead_out(tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        layout.read_repository_uuid(tmp_path, "../../../etc")
    assert caught.value.code == "path-escapes"


def test_the_lock_is_gone_after_a_clean_end(tmp_path: Path) -> None:
    with layout.repository_lock(tmp_path, "uuid") as path:
        assert path.name == ".lock"
        assert layout.decode_java_text(path.read_bytes()).endswith("Z")
    assert not path.exists()


def test_a_second_server_does_not_get_the_lock(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from omeroadmin.repository.layout import repository_lock\n"
        "with repository_lock(Path(sys.argv[1]), 'uuid'):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, os.fspath(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AdminError) as caught, layout.repository_lock(tmp_path, "uuid"):
            pass
        assert caught.value.exit_status is ExitStatus.LOCKED
        holder.communicate("")
    with layout.repository_lock(tmp_path, "uuid"):
        pass

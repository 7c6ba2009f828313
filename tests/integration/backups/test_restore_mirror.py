"""What the manual's backups leave, a dump and a mirror, becomes an instance; what doesn't fit is named."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.programs import client_programs
from omeroadmin.errors import AdminError, AdminWarning
from omeroadmin.profiles.store import load_settings
from omeroadmin.workflows.restore import RestorePlan, carry_out
from omeroadmin.workflows.restore_mirror import MirrorWish, plan_mirror_restore
from tests.support.backup import Seeded, source, tree  # noqa: F401 - fixture
from tests.support.components import require_program

LARGE = "ManagedRepository/big_0/large.tif"


@pytest.fixture(scope="module")
def dump(source: Seeded, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """As the manual makes it."""
    path = tmp_path_factory.mktemp("dump") / "omero.2026-11-28.pg_dump"
    address = source.database.address
    program = client_programs(source.database.settings, server_major=0).path("pg_dump")
    with address.environment() as environment:
        subprocess.run([program, "-Fc", "-f", path, address.name], check=True, env=environment)
    return path


@pytest.fixture(scope="module")
def mirror(source: Seeded, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """As the manual makes it, with an earlier version of a file among its records."""
    path = tmp_path_factory.mktemp("mirror") / "backup_server"
    extra = source.data / "Files" / "changing"
    program = require_program("rdiff-backup")
    for content, moment in ((b"first", 1_700_000_000), (b"second version", 1_700_000_100)):
        extra.write_bytes(content)
        command: list[str | Path] = [
            program,
            "--api-version",
            "201",
            "--current-time",
            str(moment),
            "backup",
            source.data,
            path,
        ]
        subprocess.run(command, check=True)
    extra.unlink()
    assert (path / "rdiff-backup-data").is_dir()
    return path


def configuration(source: Seeded, path: Path) -> Path:  # noqa: F811
    """What ``omero config get`` prints, with passwords masked."""
    values = source.database.settings.explicit()
    lines = [f"{name}={'********' if name.endswith('pass') else value}" for name, value in values.items()]
    more = ["omero.mail.host=mail.example.org", "omero.ldap.password=********", ""]
    path.write_text("\n".join([*lines, *more]))
    return path


def planned(dump: Path, mirror: Path, into: Path, **more: object) -> RestorePlan:
    return plan_mirror_restore(MirrorWish(dump, mirror, into, ports_prefix="2", **more))  # type: ignore[arg-type]


def images(directory: Path) -> dict[str, tuple[int, int, bytes]]:
    """Files as they are compared; rdiff-backup keeps times in whole seconds."""
    left_out = ("BioFormatsCache/", "FullText/", "certs/", "Files/changing", "rdiff-backup-data/")
    return {
        path: (mode, time // 10**9, content)
        for path, (mode, time, content) in tree(directory).items()
        if not path.startswith(left_out)
    }


def test_dump_and_mirror_become_an_instance(
    source: Seeded,  # noqa: F811
    dump: Path,
    mirror: Path,
    tmp_path: Path,
) -> None:
    saved = configuration(source, tmp_path / "omero.config")
    with pytest.warns(AdminWarning, match=r"what omero\.ldap\.password was"):
        plan = planned(dump, mirror, tmp_path / "second", configuration=saved)
    report = carry_out(plan)
    assert report.faults.count == 0, report.faults.kept
    assert report.rows == 18
    assert images(tmp_path / "second-data") == images(source.data)
    data = tmp_path / "second-data"
    assert (data / "Files" / "changing").read_bytes() == b"second version"
    assert not (data / "rdiff-backup-data").exists()
    assert not [path for path in tree(data) if path.startswith(("BioFormatsCache/", "FullText/"))]
    assert (data / "certs" / "server.p12").exists()
    settings = load_settings(plan.instance)
    assert settings.text("omero.mail.host") == "mail.example.org"
    assert settings.data_directory == data
    assert settings.port("ssl") == 24064
    assert settings.text("omero.db.pass") not in ("", "********", source.database.address.password)
    assert (plan.instance.scripts_directory / "omero").is_dir()
    assert not list(plan.instance.temporary_directory.iterdir())
    assert not embedded.status(plan.instance).running
    embedded.start(plan.instance, settings)
    try:
        with connect(DatabaseAddress.from_settings(settings)) as connection:
            facts = connection.execute(
                "SELECT (SELECT count(*) FROM session WHERE closed IS NULL), (SELECT count(*) FROM originalfile)"
            ).fetchone()
        assert facts == (0, 17)
    finally:
        embedded.stop(plan.instance, settings)


def test_an_interrupted_one_goes_on(source: Seeded, dump: Path, mirror: Path, tmp_path: Path) -> None:  # noqa: F811
    first = planned(dump, mirror, tmp_path / "second")

    class Stop(Exception):  # noqa: N818 - no error, an interruption
        pass

    def stop_at_the_check(number: int, count: int, step: object) -> None:
        if type(step).__name__ == "CheckMirror":
            raise Stop

    with pytest.raises(Stop):
        carry_out(first, stop_at_the_check)
    assert not embedded.status(first.instance).running
    victim = tmp_path / "second-data" / LARGE
    victim.write_bytes(victim.read_bytes()[:-1])
    again = planned(dump, mirror, tmp_path / "second")
    assert "go on" in again.plan.title
    report = carry_out(again)
    assert report.faults.count == 0, report.faults.kept
    assert report.files == 1
    assert images(tmp_path / "second-data") == images(source.data)
    with pytest.raises(AdminError) as caught:
        planned(dump, mirror, tmp_path / "second")
    assert caught.value.code == "restore-done"


def test_what_does_not_fit_is_named(source: Seeded, dump: Path, tmp_path: Path) -> None:  # noqa: F811
    plain = tmp_path / "plain"
    shutil.copytree(source.data, plain)
    (plain / LARGE).unlink()
    changed = plain / "ManagedRepository" / "root_0" / "2026-11" / "00" / "plain.tif"
    content = bytearray(changed.read_bytes())
    content[0] ^= 1
    changed.write_bytes(content)
    report = carry_out(planned(dump, plain, tmp_path / "second"))
    assert {(fault.code, fault.path) for fault in report.faults.kept} == {
        ("file-missing", f"data/{LARGE}"),
        ("hash-differs", "data/ManagedRepository/root_0/2026-11/00/plain.tif"),
    }
    assert (tmp_path / "second-data" / "Files" / "7").exists()


def test_nothing_is_touched_before_all_is_well(mirror: Path, dump: Path, tmp_path: Path) -> None:
    empty, unfinished, elsewhere = tmp_path / "empty", tmp_path / "unfinished", tmp_path / "omero.config"
    empty.mkdir()
    (unfinished / "rdiff-backup-data").mkdir(parents=True)
    (unfinished / "Files").mkdir()
    for number in range(2):
        (unfinished / "rdiff-backup-data" / f"current_mirror.{number}.data").touch()
    quoted = tmp_path / "quoted"
    (quoted / "rdiff-backup-data").mkdir(parents=True)
    (quoted / "Files").mkdir()
    (quoted / "rdiff-backup-data" / "chars_to_quote").write_bytes(b"A-Z")
    elsewhere.write_text("omero.data.dir=/OMERO\nomero.managed.dir=/disk2/images\n")
    cases = [
        ((dump, empty), {}, "mirror-missing"),
        ((dump, tmp_path / "none"), {}, "mirror-missing"),
        ((dump, unfinished), {}, "mirror-unfinished"),
        ((dump, quoted), {}, "mirror-quoted"),
        ((tmp_path / "none", mirror), {}, "dump-missing"),
        ((elsewhere, mirror), {}, "dump-unknown"),
        ((dump, mirror), {"configuration": elsewhere}, "managed-outside-mirror"),
        ((dump, mirror), {"into": mirror / "inside"}, "restore-into-target"),
    ]
    for sources, more, code in cases:
        wanted = {"into": tmp_path / "second", **more}
        with pytest.raises(AdminError) as caught:
            plan_mirror_restore(MirrorWish(*sources, **wanted))  # type: ignore[arg-type]
        assert caught.value.code == code
        assert caught.value.hint
    assert not (tmp_path / "second").exists()


def test_the_dump_of_something_else_is_told(source: Seeded, mirror: Path, tmp_path: Path) -> None:  # noqa: F811
    other = tmp_path / "other.sql"
    other.write_text(
        "--\n-- PostgreSQL database dump\n--\nCREATE TABLE other (id integer);\n"
        "--\n-- PostgreSQL database dump complete\n--\n"
    )
    with pytest.raises(AdminError) as caught:
        carry_out(planned(other, mirror, tmp_path / "second"))
    assert caught.value.code == "dump-not-omero"
    assert caught.value.exit_status == 5


def test_a_mirror_that_links_elsewhere_writes_nowhere_else(dump: Path, tmp_path: Path) -> None:
    """Links are followed while they lead to something, and kept as what they are where they don't."""
    plain, outside = tmp_path / "plain", tmp_path / "outside"
    (plain / "Files").mkdir(parents=True)
    outside.mkdir()
    (outside / "precious").write_bytes(b"mine")
    (plain / "Files" / "linked").symlink_to(outside)
    (plain / "Files" / "gone").symlink_to("/nowhere/at/all")
    plan = planned(dump, plain, tmp_path / "second")
    carry_out(plan)
    data = tmp_path / "second-data" / "Files"
    assert (data / "linked").is_dir()
    assert not (data / "linked").is_symlink()
    assert os.readlink(data / "gone") == "/nowhere/at/all"  # noqa: PTH115 - as written
    assert (outside / "precious").read_bytes() == b"mine"

"""A real cluster archived by a real pgBackRest, and brought back as it was at a moment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.database.check import Status, check_database
from omeroadmin.database.cluster import Cluster, start, stop
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.physical.catalog import choose
from omeroadmin.database.physical.facts import HINT_FAILING, archiver, physical_facts
from omeroadmin.database.physical.layout import PhysicalLayout
from omeroadmin.database.physical.plan import PhysicalWish, plan_archive
from omeroadmin.database.physical.program import PgBackRest, find_pgbackrest, refuse_unsupported
from omeroadmin.database.physical.recovery import Recovery, recover
from omeroadmin.database.programs import find_programs
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import AdminError
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.clock import wait_until
from omeroadmin.system.local import LocalHost
from omeroadmin.workflows.checks import care
from omeroadmin.workflows.checks.model import Subject
from tests.support.components import require_program
from tests.support.database import DatabaseUnderTest, all_programs, running_database
from tests.support.ports import free_port


@dataclass(frozen=True)
class Archived:
    """A cluster whose log goes to a repository."""

    made: DatabaseUnderTest
    layout: PhysicalLayout
    program: Path

    def wish(self, *, archive: bool = True, in_use: bool = False) -> PhysicalWish:
        instance, settings = self.made.instance, self.made.settings
        return PhysicalWish(
            instance, settings, self.layout, self.program, self.made.address.port, archive=archive, in_use=in_use
        )

    def plan(self, wish: PhysicalWish) -> tuple[list[str], bool]:
        facts = physical_facts(self.made.instance, self.made.settings, self.layout, self.program)
        planned = plan_archive(facts, wish)
        apply_plan(planned.plan, LocalHost())
        return planned.plan.lines(), planned.restart

    @property
    def pgbackrest(self) -> PgBackRest:
        return PgBackRest(self.program, self.layout.configuration)


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archived]:
    """Archived by the plan; its path has all that a shell and PostgreSQL's settings could stumble over."""
    require_program("pgbackrest")
    home = tmp_path_factory.mktemp("it's 100% $HOME")
    with running_database(home, omero__db__embedded__bindir="/usr/lib/postgresql/15/bin") as made:
        layout = PhysicalLayout(made.instance.embedded_database, home / "reposi tory")
        subject = Archived(made, layout, find_pgbackrest())
        lines, restart = subject.plan(subject.wish())
        assert not restart
        assert [line.split()[0] for line in lines] == [
            "make",
            "make",
            "write",
            "write",
            "stop",
            "start",
            "let",
            "check",
        ]
        yield subject


def _verbs(lines: list[str]) -> list[str]:
    return [line.split()[0] for line in lines]


def _now(address: DatabaseAddress) -> datetime:
    with connect(address) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


def _values(address: DatabaseAddress) -> list[str]:
    with connect(address) as connection:
        rows = connection.execute("SELECT value FROM configuration WHERE name LIKE 'moment%' ORDER BY name")
        return [str(row[0]) for row in rows]


def _change(address: DatabaseAddress, statement: str) -> None:
    with connect(address) as connection:
        connection.execute(statement)


def _archive_all(archived: Archived) -> None:
    archived.pgbackrest.check(archived.made.superuser)


def test_the_second_plan_is_empty_and_the_archiver_is_well(archived: Archived) -> None:
    assert archived.plan(archived.wish()) == ([], False)
    with connect(archived.made.address) as connection:
        found = archiver(connection)
    assert found.enabled
    assert found.archived > 0
    assert not found.failing


def test_a_cluster_comes_back_as_it_was_at_each_moment(archived: Archived, tmp_path: Path) -> None:
    address = archived.made.address
    with pytest.raises(AdminError) as caught:
        choose(archived.pgbackrest.catalog().backups, None)
    assert caught.value.code == "physical-missing"
    label = archived.pgbackrest.back_up(archived.made.superuser, "diff", archived.layout.work)
    assert label.endswith("F")
    first = archived.pgbackrest.catalog().backups[0]
    assert wait_until(lambda: _now(address).timestamp() > first.stopped + 1, timeout=5)
    _change(address, "INSERT INTO configuration VALUES ('moment-1', 'one'), ('moment-2', 'two')")
    before = _now(address)
    _change(address, "DELETE FROM configuration WHERE name LIKE 'moment%'")
    after = _now(address)
    _change(address, "INSERT INTO configuration VALUES ('moment-3', 'three')")
    _archive_all(archived)
    programs = find_programs(archived.made.settings)
    backup = choose(archived.pgbackrest.catalog().backups, before)
    assert backup.label == label
    cluster = Cluster(tmp_path / "it's back", tmp_path / "postgresql.log")
    port = free_port()
    for moment, wanted in ((before, ["one", "two"]), (after, []), (None, ["three"])):
        recovery = Recovery(cluster, archived.layout.repository, label, moment)
        recover(recovery, archived.program, programs, port=port)
        start(cluster, programs, port=port, timeout=30)
        try:
            superuser = cluster.superuser(port)
            there = DatabaseAddress(superuser.host, port, "omero", superuser.user, superuser.password)
            assert _values(there) == wanted
            with connect(there) as connection:
                assert not archiver(connection).enabled
                leftovers = connection.execute(
                    "SELECT name FROM pg_file_settings WHERE name ~ '^(restore_|recovery_|archive_)'"
                ).fetchall()
            assert leftovers == []
        finally:
            stop(cluster, programs, timeout=30)
    assert sorted(path.name for path in cluster.directory.iterdir()) == ["data", "superuser_password"]


def test_a_moment_that_the_archive_does_not_reach(archived: Archived, tmp_path: Path) -> None:
    pgbackrest = archived.pgbackrest
    label = pgbackrest.back_up(archived.made.superuser, "diff", archived.layout.work)
    cluster = Cluster(tmp_path / "cluster", tmp_path / "postgresql.log")
    moment = datetime.now(UTC) + timedelta(hours=1)
    programs = find_programs(archived.made.settings)
    recovery = Recovery(cluster, archived.layout.repository, label, moment)
    with pytest.raises(AdminError, match="does not reach") as caught:
        recover(recovery, archived.program, programs, port=free_port())
    assert caught.value.code == "moment-too-late"
    # Where nothing was changed since, but the archive is known to reach it, its end is the moment.
    port = free_port()
    recover(replace(recovery, covered=True), archived.program, programs, port=port)
    start(cluster, programs, port=port, timeout=30)
    assert stop(cluster, programs, timeout=30)
    with pytest.raises(AdminError, match="before the first") as early:
        choose(pgbackrest.catalog().backups, datetime(2001, 1, 1, tzinfo=UTC))
    assert early.value.code == "moment-too-early"
    assert "the earliest moment is 20" in early.value.hint


def test_an_archive_that_fails_is_known(archived: Archived) -> None:
    repository = archived.layout.repository
    away = repository.with_name("away")
    repository.rename(away)
    repository.touch()
    try:
        _change(archived.made.superuser, "CREATE TABLE changed (number int)")
        _change(archived.made.superuser, "SELECT pg_switch_wal()")

        def failing() -> bool:
            with connect(archived.made.address) as connection:
                return archiver(connection).failing

        assert wait_until(failing, timeout=30)
        wanted = SchemaVersion.from_settings(archived.made.settings)
        found = {item.name: item for item in check_database(archived.made.address, wanted, own_schema=True).findings}
        assert found["archive"].status is Status.WARN
        assert "archiving fails: 0000000" in found["archive"].evidence
        subject = Subject(archived.made.instance, archived.made.settings, {}, repository, parse_logs=False)
        [_, item] = care.database_answer(subject).items
        assert (item.name, item.status.value, item.hint) == ("archive", "warn", HINT_FAILING)
    finally:
        repository.unlink()
        away.rename(repository)
    _archive_all(archived)
    with connect(archived.made.address) as connection:
        assert not archiver(connection).failing


def test_servers_on_the_database_are_not_cut_off(archived: Archived) -> None:
    facts = physical_facts(archived.made.instance, archived.made.settings, archived.layout, archived.program)
    off = plan_archive(facts, archived.wish(archive=False, in_use=True))
    assert off.restart
    assert _verbs(off.plan.lines()) == ["remove"]


def test_a_postgresql_that_pgbackrest_does_not_know(tmp_path: Path) -> None:
    program = Path(require_program("pgbackrest"))
    newest = max(all_programs(), key=lambda programs: programs.version)
    if newest.major < 18:
        pytest.skip("no PostgreSQL here that is too new")
    with running_database(tmp_path, schema=False, omero__db__embedded__bindir=str(newest.bindir)) as made:
        data = embedded.cluster_of(made.instance).data
        with pytest.raises(AdminError, match="does not know the version") as caught:
            refuse_unsupported(program, data)
    assert caught.value.code == "physical-unsupported"


def test_a_postgresql_that_pgbackrest_knows(archived: Archived) -> None:
    refuse_unsupported(archived.program, archived.layout.data)
    assert not list(Path(tempfile.gettempdir()).glob("omero-pgbackrest-*"))

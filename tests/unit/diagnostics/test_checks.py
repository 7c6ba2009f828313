"""Each collector for itself, against real files and programs."""

from __future__ import annotations

import os
import sys
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid.model import Cause, ServerState, State
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import clock
from omeroadmin.workflows.checks import care, places, servers, software
from omeroadmin.workflows.checks.model import Category, Item, Status, Subject, plain_size
from omeroadmin.workflows.logs import RESTARTED, LogFacts
from tests.support.certificates import complete_settings, make


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """An instance of which only the directory exists."""
    instance = Instance(tmp_path / "OMERO.server")
    instance.etc.mkdir(parents=True)
    settings = Settings({"omero.data.dir": str(tmp_path / "OMERO")})
    return Subject(instance, settings, {"PATH": os.environ["PATH"]}, tmp_path / "home")


def program(directory: Path, name: str, body: str) -> Path:
    """A program that does what its shell lines say."""
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def by_name(category: Category) -> dict[str, Item]:
    """Items of a category."""
    return {item.name: item for item in category.items}


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1300, "1.3 KB"),
        (22_800, "22.8 KB"),
        (5_000_000, "5.0 MB"),
        (7_100_000_000, "7.1 GB"),
        (2_500_000_000_000, "2.5 TB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert plain_size(size) == text


def test_commands_with_versions_paths_and_others(subject: Subject, tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    java = program(
        first, "java", "echo 'Picked up JAVA_TOOL_OPTIONS: -Xmx1g' >&2; echo 'openjdk version \"11.0.5\"' >&2"
    )
    program(second, "java", "exit 1")
    psql = program(first, "psql", "echo 'psql (PostgreSQL) 15.4 (Debian 15.4-1)'")
    program(first, "icegridnode", "echo 3.6.5 >&2")
    search_path = f"{first}:{second}::{first}"
    items = by_name(software.commands(replace(subject, environment={"PATH": search_path})))
    assert list(items) == [
        "java -version",
        "python -V",
        "icegridnode --version",
        "icegridadmin --version",
        "psql --version",
        "openssl version",
    ]
    assert items["java -version"].evidence == f"11.0.5     ({java} -- 1 others)"
    assert items["psql --version"].evidence == f"15.4       ({psql})"
    assert items["icegridnode --version"].evidence.startswith("3.6.5 ")
    assert items["openssl version"] == Item("openssl version", Status.SKIP, "not found")
    assert str(sys.executable) in items["python -V"].evidence


def test_commands_that_misbehave(subject: Subject, tmp_path: Path) -> None:
    bin_directory = tmp_path / "bin"
    program(bin_directory, "psql", "echo broken >&2; exit 3")
    program(bin_directory, "openssl", "echo nothing to see")
    (bin_directory / "java").write_bytes(b"\x7fELF not really")
    (bin_directory / "java").chmod(0o755)
    items = by_name(software.commands(replace(subject, environment={"PATH": str(bin_directory)})))
    assert items["psql --version"].status is Status.WARN
    assert "broken" in items["psql --version"].evidence
    assert items["openssl version"].status is Status.WARN
    assert items["java -version"].status is Status.WARN


def test_a_link_to_the_same_program_is_no_other(tmp_path: Path) -> None:
    real = program(tmp_path / "a", "psql", "true")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "psql").symlink_to(real)
    assert software.copies("psql", f"{tmp_path}/b:{tmp_path}/a") == [tmp_path / "b" / "psql"]


def test_a_distribution_needs_java_and_says_its_version(subject: Subject, tmp_path: Path) -> None:
    jars = subject.instance.server_jars
    jars.mkdir(parents=True)
    subject = replace(subject, environment={"PATH": str(tmp_path / "empty")})
    assert by_name(software.commands(subject))["java -version"].status is Status.FAIL
    assert by_name(software.components(subject))["OMERO.server"].evidence == "unknown"
    (subject.instance.etc / "omero.properties").write_text("# x\nomero.version=5.6.7-ice36-b130\n")
    assert by_name(software.components(subject))["OMERO.server"].evidence == "5.6.7-ice36-b130"


def test_a_reference_server_says_that_it_is_one(subject: Subject) -> None:
    assert "reference server" in by_name(software.components(subject))["OMERO.server"].evidence
    assert software.jars(subject).items == ()


def test_jars_of_a_distribution(subject: Subject) -> None:
    jars = subject.instance.server_jars
    jars.mkdir(parents=True)
    with zipfile.ZipFile(jars / "omero-blitz-5.7.0.jar", "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nImplementation-Version: 5.7.0\r\n")
    (jars / "formats-api-6.jar").write_bytes(b"damaged")
    (jars / "guava.jar").write_bytes(b"not ours")
    items = by_name(software.jars(subject))
    assert list(items) == ["lib/server/formats-api-6.jar", "lib/server/omero-blitz-5.7.0.jar"]
    assert items["lib/server/omero-blitz-5.7.0.jar"].evidence == "5.7.0"
    assert items["lib/server/formats-api-6.jar"].status is Status.WARN


@pytest.mark.parametrize(
    ("state", "status", "evidence"),
    [
        (ServerState("Blitz-0", State.ACTIVE, 5163, True), Status.OK, "active (pid = 5163, enabled)"),
        (ServerState("Blitz-0", State.ACTIVATING, 5163, True), Status.WARN, "activating (enabled)"),
        (ServerState("Blitz-0", State.INACTIVE, None, True), Status.FAIL, "inactive (enabled)"),
        (
            ServerState("Blitz-0", State.INACTIVE, None, False, "it ended 5 times", cause=Cause.FAILED),
            Status.FAIL,
            "inactive (disabled): it ended 5 times",
        ),
        (ServerState("TestDropBox", State.INACTIVE, None, True, always=False), Status.SKIP, "inactive (enabled)"),
        (
            ServerState("Tables-0", State.INACTIVE, None, False, "PyTables is missing", cause=Cause.NOT_INSTALLED),
            Status.SKIP,
            "inactive (disabled): PyTables is missing",
        ),
        (ServerState("Indexer-0", State.INACTIVE, None, False, cause=Cause.ADMIN), Status.SKIP, "inactive (disabled)"),
    ],
)
def test_servers(state: ServerState, status: Status, evidence: str) -> None:
    item = servers.server_item(state)
    assert (item.status, item.evidence) == (status, evidence)
    assert bool(item.hint) is (status in (Status.WARN, Status.FAIL))


def test_a_node_that_was_never_started(subject: Subject) -> None:
    assert [item.evidence for item in servers.servers(subject).items] == ["not started (never was)"]
    subject.instance.internal_cfg.write_text("")
    assert [item.evidence for item in servers.servers(subject).items] == ["not started"]


def test_ports_with_their_prefix(subject: Subject) -> None:
    prefixed = replace(subject, settings=Settings({"omero.ports.prefix": "1"}))
    assert {item.name: item.evidence for item in servers.ports(prefixed).items} == {
        "SSL port": "14064",
        "TCP port": "14063",
    }


def test_jvm_settings_are_those_of_the_templates(subject: Subject) -> None:
    assert servers.jvm(subject).items[0].status is Status.SKIP
    subject.instance.grid_directory.mkdir()
    subject.instance.templates_xml.write_text(
        '<icegrid><server-template id="BlitzTemplate"><parameter name="index"/><server id="Blitz-${index}" exe="java">'
        "<option>-Xmx621m</option><option>-XX:+UseG1GC</option><option>-Dx=1</option></server></server-template>"
        '<server-template id="DropBoxTemplate"><server id="DropBox" exe="python"/></server-template></icegrid>'
    )
    assert [(item.name, item.evidence) for item in servers.jvm(subject).items] == [
        ("Blitz-${index}", "-Xmx621m -XX:+UseG1GC")
    ]
    subject.instance.templates_xml.write_text("<icegrid>")
    with pytest.raises(AdminError):
        servers.jvm(subject)


def test_log_directory(subject: Subject) -> None:
    assert places.log_directory(subject).items[0].status is Status.SKIP
    subject.instance.log_directory.mkdir(parents=True)
    assert places.log_directory(subject).items[0].evidence == "exists"


def test_log_files() -> None:
    logs = [
        LogFacts("Blitz-0.log", 22_800, 0, 9),
        LogFacts("DropBox.log", 882, 0, 0),
        LogFacts("TestDropBox.log", None),
        LogFacts("broken.log", None, problem="can't be read: Permission denied"),
        LogFacts("master.err", 34_400, 2, 0),
        LogFacts("master.out", 0),
    ]
    items = by_name(places.log_files(logs))
    assert items["Blitz-0.log"].evidence == "22.8 KB      errors=0    warnings=9"
    assert items["Blitz-0.log"].status is Status.OK
    assert items["DropBox.log"].evidence == "882 B"
    assert items["TestDropBox.log"].evidence == "n/a"
    assert items["broken.log"].status is Status.WARN
    assert items["master.err"].evidence == "34.4 KB      errors=2    warnings=0"
    assert items["master.err"].status is Status.WARN
    assert items["master.out"].evidence == "empty"
    assert items["Total size"].evidence == "0.06 MB"


def test_known_issues_of_each_blitz() -> None:
    logs = [
        LogFacts("Blitz-0.log", 10, findings=((3, RESTARTED), (7, "Did you create your database?"))),
        LogFacts("Blitz-1.log", None),
        LogFacts("Indexer-0.log", 10),
    ]
    [category] = places.known_issues(logs)
    assert category.title == "Parsing Blitz-0.log"
    assert [(item.name, item.status) for item in category.items] == [
        ("[line:3]", Status.OK),
        ("[line:7]", Status.WARN),
    ]


def test_environment(subject: Subject) -> None:
    items = by_name(places.environment(replace(subject, environment={"PATH": "/bin", "OMERO_NODE": ""})))
    assert items["PATH"].evidence == "PATH=/bin"
    assert items["OMERO_NODE"].evidence == "OMERO_NODE=(unset)"
    assert tuple(items) == places.VARIABLES


def test_directories(subject: Subject, tmp_path: Path) -> None:
    items = by_name(places.directories(subject))
    assert items["data"].status is Status.FAIL
    assert items["data"].evidence == f"'{tmp_path}/OMERO'  Exists? False  Is writable? False"
    assert items["temp"].status is Status.OK
    (tmp_path / "OMERO").mkdir()
    temporary = tmp_path / "home" / "tmp" / "deep"
    temporary.mkdir(parents=True)
    (temporary / "file").write_bytes(b"12345")
    items = by_name(places.directories(subject))
    assert items["data"].evidence == f"'{tmp_path}/OMERO'  Exists? True  Is writable? True"
    assert items["temp"].evidence.endswith("Exists? True  Is writable? True  (Size: 5)")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_directory_that_may_not_be_written(subject: Subject, tmp_path: Path) -> None:
    (tmp_path / "OMERO").mkdir(mode=0o555)
    assert by_name(places.directories(subject))["data"].status is Status.FAIL
    read_only = Settings({**subject.settings.explicit(), "omero.cluster.read_only.repo": "true"})
    assert by_name(places.directories(replace(subject, settings=read_only)))["data"].status is Status.OK


def test_disk_space(subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "OMERO").mkdir()
    items = by_name(places.disk_space(subject))
    assert "free of" in items[str(tmp_path / "OMERO")].evidence
    assert items[str(subject.instance.var)].status is Status.SKIP
    monkeypatch.setattr(places, "LITTLE_SPACE", 1.01)
    assert by_name(places.disk_space(subject))[str(tmp_path / "OMERO")].status is Status.WARN
    monkeypatch.setattr(places, "NO_SPACE", 1.01)
    assert by_name(places.disk_space(subject))[str(tmp_path / "OMERO")].status is Status.FAIL


def test_certificate(tmp_path: Path, subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    assert care.certificate(subject).items[0].status is Status.WARN
    settings = complete_settings(tmp_path)
    make(settings)
    subject = replace(subject, settings=settings)
    assert care.certificate(subject).items[0].status is Status.OK
    now = clock.utc_now()
    for days, status in ((340, Status.WARN), (366, Status.FAIL)):
        monkeypatch.setattr(clock, "utc_now", lambda passed=days: now + timedelta(days=passed))
        [item] = care.certificate(subject).items
        assert item.status is status
        assert "omero certificates" in item.hint


def test_backup_that_is_not_configured(subject: Subject) -> None:
    [item] = care.backup(subject).items
    assert (item.status, item.hint) == (Status.WARN, "omero config set omero.backup.target DIR")


def test_backup_target_that_is_missing(subject: Subject, tmp_path: Path) -> None:
    settings = Settings({"omero.backup.target": str(tmp_path / "nowhere")})
    [item] = care.backup(replace(subject, settings=settings)).items
    assert (item.status, item.hint) == (Status.WARN, "omero backup create")


def test_backup_target_without_a_snapshot(subject: Subject, tmp_path: Path) -> None:
    settings = Settings({"omero.backup.target": str(tmp_path)})
    with pytest.raises(AdminError):
        care.backup(replace(subject, settings=settings))


def test_database_that_does_not_answer(subject: Subject) -> None:
    settings = Settings({"omero.db.host": "127.0.0.1", "omero.db.port": "1"})
    [item] = care.database_answer(replace(subject, settings=settings)).items
    assert item.status is Status.FAIL
    assert item.hint


def test_own_database_that_is_not_started(subject: Subject) -> None:
    settings = Settings({"omero.db.embedded": "true"})
    [item] = care.database_answer(replace(subject, settings=settings)).items
    assert item.status is Status.SKIP


def test_what_could_not_be_looked_at() -> None:
    error = places.failed("x", "X", OSError(5, "Input/output error")).items[0]
    assert error.status is Status.FAIL
    assert "Input/output error" in error.evidence

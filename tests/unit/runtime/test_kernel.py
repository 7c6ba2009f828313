"""Command line, configuration file, logs, memory limit and exit statuses of a server process."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError, configuration_error, unreachable_error
from omeroadmin.runtime.kernel import configuration, failure, launcher, logs, memory
from omeroadmin.runtime.kernel.events import parse_event
from omeroadmin.runtime.kernel.health import Health
from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.sockets import connect_unix

# The whole of what a broken server would do, as a program: a service that ends in a given way.
PROGRAM = """
import sys, types
from omeroadmin.errors import configuration_error, unreachable_error
from omeroadmin.runtime.kernel import failure, launcher
def run(context):
    {body}
module = types.ModuleType("omeroadmin.runtime.services.indexer.service")
module.run = run
sys.modules[module.__name__] = module
sys.exit(launcher.main(sys.argv[1:]))
"""


def config(directory: Path, text: str = "Ice.Admin.ServerId=Indexer-0\n") -> Path:
    """A configuration file."""
    path = directory / "config"
    path.write_text(text)
    return path


def run(directory: Path, body: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a service with this body to its end."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body=body), "Indexer", *options, f"--Ice.Config={config(directory)}"],
        env={**os.environ, "OMERODIR": str(directory)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def log_of(directory: Path) -> str:
    """The service's log."""
    return (directory / "var" / "log" / "Indexer-0.log").read_text()


def test_a_command_line_of_a_descriptor() -> None:
    line = configuration.parse_command_line(
        ["Blitz", "-Xmx512m", "-XX:+HeapDumpOnOutOfMemoryError", "-Djava.awt.headless=true",
         "--Ice.Config=/x/config", "--omero.a=b=c"]
    )  # fmt: skip
    assert (line.kind, line.heap_bytes, line.config_file) == ("Blitz", 512 * 2**20, Path("/x/config"))
    assert line.properties == {"omero.a": "b=c"}


@pytest.mark.parametrize(
    ("text", "size"), [("-Xmx1g", 2**30), ("-Xmx2048k", 2**21), ("-Xmx4096", 4096), ("-Xmx1M", 2**20)]
)
def test_heap_units(text: str, size: int) -> None:
    assert configuration.parse_command_line(["Blitz", text, "--Ice.Config=c"]).heap_bytes == size


@pytest.mark.parametrize("arguments", [[], ["Blitz"], ["--Ice.Config=x"], ["Blitz", "Indexer", "--Ice.Config=x"]])
def test_bad_command_lines(arguments: list[str]) -> None:
    with pytest.raises(AdminError, match="expected: KIND"):
        configuration.parse_command_line(arguments)


def test_properties_keep_what_they_hold(tmp_path: Path) -> None:
    path = config(tmp_path, "# comment\na=1\nb=x=y \n\nno separator\na=2\nc=\n")
    assert configuration.read_properties(path) == {"a": "2", "b": "x=y", "c": ""}
    with pytest.raises(AdminError, match="can't be read"):
        configuration.read_properties(tmp_path / "missing")


@pytest.mark.parametrize("server_id", ["", "../x", ".", "a/b", "x" * 65])
def test_bad_server_ids(server_id: str) -> None:
    with pytest.raises(AdminError, match="names no server"):
        configuration.server_id_of({"Ice.ServerId": server_id})


@pytest.mark.parametrize(
    ("arguments", "text", "words"),
    [
        (["Nonsense"], "Ice.ServerId=X-0\n", "no server of kind"),
        (["Blitz"], "a=b\n", "names no server"),
        (["Blitz"], None, "can't be read"),
    ],
)
def test_what_main_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str | None, words: str
) -> None:
    path = tmp_path / "missing" if text is None else config(tmp_path, text)
    assert launcher.main([*arguments, f"--Ice.Config={path}"]) == 78
    assert words in capsys.readouterr().err


EXHAUSTED = "java.lang.OutOfMemoryError: out of memory, the limit is the machine's memory (see omero.jvmcfg.*)"


@pytest.mark.parametrize(
    ("body", "status", "recorded", "logged"),
    [
        ("return None", 0, "", "Stopped Indexer-0"),
        ("return 3", 3, "", "Stopped"),
        ("raise failure.not_installed('no\\nmodule')", 69, "no module", "no module"),
        ("raise failure.misconfigured('wrong')", 78, "wrong", "wrong"),
        ("raise configuration_error('a-code', 'bad setting')", 78, "bad setting", "bad setting"),
        ("raise unreachable_error('a-code', 'no database')", 1, "", "no database"),
        ("raise ValueError('a bug')", 1, "", "ValueError: a bug"),
        ("raise MemoryError", 1, EXHAUSTED, EXHAUSTED),
    ],
)
def test_how_a_service_ends(tmp_path: Path, body: str, status: int, recorded: str, logged: str) -> None:
    done = run(tmp_path, body)
    assert done.returncode == status, done
    path = tmp_path / "var" / "run" / "Indexer-0.failure"
    assert (path.read_text().strip() if path.exists() else "") == recorded
    assert logged in log_of(tmp_path)
    assert not (tmp_path / "var" / "run" / "Indexer-0.health").exists()


def test_the_heap_is_a_limit(tmp_path: Path) -> None:
    size = (memory.ALLOWANCE >> 20) + 100
    body = f"context.log.info('got %d', len(bytearray({size} * 2**20)))"
    assert run(tmp_path, body, "-Xmx50m").returncode == 1
    assert re.search(r"OutOfMemoryError: out of memory, the limit is -Xmx50m", log_of(tmp_path))
    assert run(tmp_path, body, "-Xmx300m").returncode == 0
    assert run(tmp_path, body).returncode == 0


def test_a_service_is_told_to_stop(tmp_path: Path) -> None:
    program = PROGRAM.format(body="context.health.ready(); context.stop.wait(); return 0")
    with subprocess.Popen(
        [sys.executable, "-c", program, "Indexer", f"--Ice.Config={config(tmp_path)}"],
        env={**os.environ, "OMERODIR": str(tmp_path)},
    ) as process:
        from omeroadmin.system.clock import wait_until

        path = tmp_path / "var" / "run" / "Indexer-0.health"
        assert wait_until(path.exists, timeout=20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_java_lines_look_like_logback() -> None:
    record = logging.LogRecord(
        "ome.services.util.ReadOnlyStatus", logging.WARNING, "", 1, "read-only: %s", (False,), None
    )
    record.threadName = "MainThread"
    line = logs.formatter_of("Blitz").format(record)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} WARN  \[ {8}ome\.services\.util\.ReadOnlyStatus\] \( {6}main\) "
        r"read-only: False",
        line,
    )
    record.name, record.threadName = "x" * 50, "a-long-thread-name"
    assert f"[{'x' * 40}] (hread-name)" in logs.formatter_of("PixelData").format(record)


def test_python_lines_look_like_omero() -> None:
    record = logging.LogRecord("omero.tables", logging.WARNING, "", 1, "message", None, None)
    record.threadName = "MainThread"
    line = logs.formatter_of("Tables").format(record)
    assert re.fullmatch(r"[-\d]+ [:,\d]+ WARNI \[ {28}omero\.tables\] \(MainThread\) message", line)


def test_logs_rotate_as_configured(tmp_path: Path) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    settings = Settings({"omero.logging.logsize": "1000", "omero.logging.lognum": "2", "omero.logging.level": "30"})
    handler = logs.configure("Tables", tmp_path / "log" / "Tables-0.log", settings)
    try:
        log = logging.getLogger("omero.tables.test")
        log.info("not logged")
        for number in range(100):
            log.warning("line %d", number)
    finally:
        handler.close()
        root.handlers[:] = before
        root.setLevel(level)
        logging.captureWarnings(False)
    names = sorted(path.name for path in (tmp_path / "log").iterdir())
    assert names == ["Tables-0.log", "Tables-0.log.1", "Tables-0.log.2"]
    assert "not logged" not in (tmp_path / "log" / "Tables-0.log").read_text()


def test_health_answers_with_reasons_and_details(tmp_path: Path) -> None:
    path = tmp_path / "X-0.health"
    health = Health("X-0", path)
    health.start()
    try:

        def ask() -> dict[str, object]:
            with connect_unix(path, timeout=5) as connection, connection.makefile() as stream:
                lines = stream.readlines()
            assert len(lines) == 1
            return dict(json.loads(lines[0]))

        assert ask() == {"id": "X-0", "pid": os.getpid(), "ready": False, "reason": "starting", "detail": {}}
        health.ready()
        health.count("jobs")
        health.count("jobs", 2)
        health.note("position", 7)
        health.add_source(lambda: {"now": 1})
        assert ask() == {
            "id": "X-0", "pid": os.getpid(), "ready": True, "detail": {"jobs": 3, "position": 7, "now": 1},
        }  # fmt: skip
        health.not_ready("the database is gone")
        assert ask()["reason"] == "the database is gone"
        assert path.stat().st_mode & 0o777 == 0o600
    finally:
        health.close()
    assert not path.exists()


def test_stop_calls_back_once_and_late_comers_at_once() -> None:
    stop = Stop()
    called: list[str] = []
    stop.on_request(lambda: called.append("early"))
    assert not stop.wait(0)
    thread = threading.Thread(target=stop.request)
    thread.start()
    assert stop.wait(5)
    thread.join(5)
    stop.request()
    stop.on_request(lambda: called.append("late"))
    assert called == ["early", "late"]
    assert os.read(stop.fileno(), 10) == b"\0"
    stop.close()


@pytest.mark.parametrize("line", ["", "{", "[]", "1", '{"entity": "Image"}', '{"entity": 1, "id": "x"}', b"\xff"])
def test_what_is_no_event(line: str | bytes) -> None:
    assert parse_event(line) is None


def test_failures_of_the_library_get_their_status() -> None:
    assert failure.failure_of(configuration_error("a", "b")).status == failure.MISCONFIGURED
    assert failure.failure_of(unreachable_error("a", "b")).status == failure.CRASHED


def test_a_failure_is_recorded_for_the_owner_only(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.run_directory.mkdir(parents=True)
    failure.record(instance, "X-0", failure.misconfigured("two\nlines"))
    path = instance.run_directory / "X-0.failure"
    assert path.read_text() == "two lines\n"
    assert path.stat().st_mode & 0o777 == 0o600
    failure.forget(instance, "X-0")
    failure.forget(instance, "X-0")
    assert not path.exists()

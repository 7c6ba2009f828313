from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.runtime.services.processor.script import Limits, Outcome, run_script
from omeroadmin.system.clock import wait_until

OUTPUTS = "import json, os, sys; out = os.environ['OMERO_SCRIPT_OUTPUTS']\n"


def run(tmp_path: Path, text: str, document: Any = None, *, seconds: float = 20, stop: Stop | None = None) -> Outcome:
    script = tmp_path / "script.py"
    script.write_text(text)
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    own = stop or Stop()
    try:
        return run_script(script, document or {}, scratch, Limits(seconds, 2**29), own)
    finally:
        if stop is None:
            own.close()
        assert list(scratch.iterdir()) == []


def test_inputs_and_outputs(tmp_path: Path) -> None:
    outcome = run(
        tmp_path,
        OUTPUTS + "d = json.load(sys.stdin); print('hi'); print('there', file=sys.stderr)\n"
        "open(out, 'w').write(json.dumps({'Message': 'm', 'twice': 2 * d['inputs']['n']}))",
        {"inputs": {"n": 21}},
    )
    assert outcome == Outcome("Finished", "m", {"Message": "m", "twice": 42}, "hi\n", "there\n")


def test_a_script_without_outputs_is_finished(tmp_path: Path) -> None:
    assert run(tmp_path, "pass") == Outcome("Finished", "Script finished")


def test_inputs_that_a_script_does_not_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """More than a pipe holds: the pipe breaks, and nothing is left over for asyncio to complain about."""
    outcome = run(tmp_path, "pass", {"inputs": {"text": "x" * 1_000_000}})
    assert outcome == Outcome("Finished", "Script finished")
    gc.collect()
    assert not [record for record in caplog.records if record.name == "asyncio" and record.levelname == "ERROR"]


def test_surroundings_are_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMERO_PASSWORD", "secret")
    outcome = run(
        tmp_path,
        OUTPUTS + "import resource\n"
        "files = sorted(os.listdir('.'))\n"
        "open('mine', 'w').close()\n"
        "status = dict(l.split(':', 1) for l in open('/proc/self/status'))\n"
        "json.dump({'env': sorted(os.environ), 'files': files, 'leader': os.getpid() == os.getsid(0),\n"
        "  'core': resource.getrlimit(resource.RLIMIT_CORE)[1], 'data': resource.getrlimit(resource.RLIMIT_DATA)[1],\n"
        "  'mode': oct(os.stat('mine').st_mode & 0o777), 'npriv': status['NoNewPrivs'].strip(),\n"
        "  'argv': sys.argv[1:]},\n"
        "  open(out, 'w'))",
    )
    assert outcome.status == "Finished", outcome
    assert set(outcome.outputs["env"]) <= {"HOME", "LANG", "LC_CTYPE", "OMERO_SCRIPT_OUTPUTS", "PATH", "TMPDIR"}
    assert outcome.outputs["files"] == []
    assert outcome.outputs["leader"] is True
    assert outcome.outputs["core"] == 0
    assert outcome.outputs["data"] == 2**29
    assert outcome.outputs["mode"] == "0o600"
    assert outcome.outputs["npriv"] == "1"
    assert outcome.outputs["argv"] == []


def test_a_failure_has_its_last_words(tmp_path: Path) -> None:
    outcome = run(tmp_path, "1 / 0")
    assert outcome.status == "Error"
    assert outcome.message == "Script ended with status 1: ZeroDivisionError: division by zero"
    assert "Traceback" in outcome.stderr


def test_a_script_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    child = tmp_path / "child"
    outcome = run(
        tmp_path,
        "import subprocess, sys, time, pathlib\n"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(child)!r}).write_text(str(p.pid)); print('started', flush=True); time.sleep(60)",
        seconds=1.5,
    )
    assert outcome.status == "Error"
    assert outcome.message == "Script was ended: it took longer than 1.5 s"
    assert outcome.stdout == "started\n"
    pid = child.read_text()

    def ended() -> bool:
        try:
            return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    assert wait_until(ended, timeout=5)


def test_stopping_ends_a_script(tmp_path: Path) -> None:
    stop = Stop()
    threading.Timer(0.5, stop.request).start()
    try:
        outcome = run(tmp_path, "import time; time.sleep(60)", stop=stop)
    finally:
        stop.close()
    assert (outcome.status, outcome.message) == ("Cancelled", "Script was ended: the server stops")


def test_talkative_scripts_are_cut(tmp_path: Path) -> None:
    outcome = run(tmp_path, "import sys\nfor _ in range(300): sys.stdout.write('x' * 10000)")
    assert outcome.status == "Finished"
    assert outcome.stdout.endswith("\n[2000000 more bytes]")
    assert len(outcome.stdout) < 1_000_100


def test_memory_is_limited(tmp_path: Path) -> None:
    outcome = run(tmp_path, "x = bytearray(2**30)")
    assert outcome.status == "Error"
    line = "java.lang.OutOfMemoryError: out of memory, the limit is 512 MB (see omero.scripts.memory)"
    assert outcome.message == f"{line}; Script ended with status 1: MemoryError"
    assert outcome.stderr.endswith(f"MemoryError\n{line}\n")
    assert outcome.exhausted


@pytest.mark.parametrize(
    ("text", "exhausted"),
    [
        ("x = []\nwhile True: x.append([bytes(100)])", True),
        ("import os\ntry: bytearray(2**30)\nexcept MemoryError: print('managed')", False),
        (
            "import os, sys\nsys.stderr.write('memory allocation of 9 bytes failed'); sys.stderr.flush(); os.abort()",
            True,
        ),
        ("raise ValueError('something else')", False),
        ("raise OSError(12, 'Cannot allocate memory')", True),
        ("import time; time.sleep(60)", False),
    ],
)
def test_scripts_that_get_no_memory(tmp_path: Path, text: str, exhausted: bool) -> None:
    assert run(tmp_path, text, seconds=10 if exhausted else 1).exhausted == exhausted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("open(out, 'w').write('[1]')", "not a JSON object"),
        ("open(out, 'w').write('{')", "Expecting property name"),
        ("open(out, 'w').write('{' + ' ' * 10_000_001)", "more than 10000000 bytes"),
        ("os.symlink('/etc/passwd', out)", "symbolic links"),
    ],
)
def test_outputs_that_are_none(tmp_path: Path, text: str, words: str) -> None:
    outcome = run(tmp_path, OUTPUTS + text)
    assert outcome.status == "Error"
    assert words in outcome.message


def test_a_script_that_does_not_read_its_inputs(tmp_path: Path) -> None:
    assert run(tmp_path, "import os; os.close(0)", {"inputs": {"x": "y" * 10**6}}).status == "Finished"

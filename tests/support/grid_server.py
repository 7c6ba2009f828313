"""A server for tests of the node: speaks the health protocol, or misbehaves as it is told.

    python -m tests.support.grid_server MODE --Ice.Config=FILE

Modes: ok, slow (ready after a while), never (never ready), crash (ends at once), optional (69), wrong (78, with a
reason), wordless (78, without), stubborn (ignores SIGTERM), children (has a child process in its group),
once (crashes at its first start), flaky (crashes after it was ready), chatty (writes 12 MB of lines to stdout),
echo (answers on its own socket what it is sent).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from omeroadmin.system.sockets import listen_unix


def _properties(file: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in file.read_text().splitlines())
    return {name: value for name, _, value in pairs}


def _serve(listener: socket.socket, identifier: str, ready_at: float) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            ready = time.monotonic() >= ready_at
            answer = {"id": identifier, "pid": os.getpid(), "ready": ready, "detail": {}}
            if not ready:
                answer["reason"] = "warming up"
            connection.sendall(json.dumps(answer).encode() + b"\n")


def _echo(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"echo " + connection.recv(1000))


def _at_once(mode: str, run: Path, identifier: str) -> int | None:
    """Exit status of a server that doesn't live long; ``None`` for the others."""
    failure = run / f"{identifier}.failure"
    match mode:
        case "crash":
            print("Traceback\nValueError: it can't be", file=sys.stderr, flush=True)
            return 3
        case "optional":
            failure.write_text("PyTables is not installed\n")
            return 69
        case "wrong":
            failure.write_text("the database is too old\n")
            return 78
        case "wordless":
            return 78
        case "once" if not (run / f"{identifier}.once").exists():
            (run / f"{identifier}.once").touch()
            return 1
    return None


def main() -> int:
    mode, config = sys.argv[1], sys.argv[2].removeprefix("--Ice.Config=")
    identifier = _properties(Path(config))["Ice.Admin.ServerId"]
    run = Path(os.environ["OMERODIR"]) / "var" / "run"
    stop = threading.Event()

    def on_term(_number: int, _frame: FrameType | None) -> None:
        if mode != "stubborn":
            stop.set()

    signal.signal(signal.SIGTERM, on_term)
    status = _at_once(mode, run, identifier)
    if status is not None:
        return status
    if mode == "children":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (run / f"{identifier}.child").write_text(str(child.pid))
    delay = {"slow": 0.3, "never": 1e6}.get(mode, 0.0)
    listener = listen_unix(run / f"{identifier}.health")
    arguments = (listener, identifier, time.monotonic() + delay)
    threading.Thread(target=_serve, args=arguments, name="health", daemon=True).start()
    print(f"{identifier} is up", flush=True)
    if mode == "chatty":
        for number in range(120_000):
            print(f"{number:06d} {'x' * 92}")
        sys.stdout.flush()
    if mode == "echo":
        threading.Thread(target=_echo, args=(listen_unix(run / f"{identifier}.sock"),), daemon=True).start()
    if mode == "flaky":
        stop.wait(0.1)
        return 1
    while not stop.wait(0.05):
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

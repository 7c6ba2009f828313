"""Programs are run where they must be; what others bring is waited for."""

from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.system.clock import wait_until
from tests.support.agents import Worker, telling_pid, with_own_state, worker


def test_a_command_runs_until_its_result_is_there(local: Worker, tmp_path: Path) -> None:
    made = tmp_path / "made"
    wish = local.wish("command", arguments=["touch", str(made)], creates=str(made), undo=["rm", str(made)])
    assert local.apply(wish) == [f"run touch {made}"]
    run = local.run
    assert local.apply(wish) == []
    local.run = run
    assert local.undo() == [f"ran rm {made}"]
    assert not made.exists()
    assert local.failure({**wish, "arguments": ["true"]})["code"] == "host-command-without-result"


def test_checks_say_whether_it_runs(local: Worker, tmp_path: Path) -> None:
    program = tmp_path / "comes-later"
    for check, yes, no, missing in (("unless", 0, 1, 1), ("only_if", 1, 0, 0)):
        wish = local.wish("command", arguments=["true"])
        assert len(local.apply({**wish, check: ["true"]})) == yes
        assert len(local.apply({**wish, check: ["false"]})) == no
        assert len(local.apply({**wish, check: [str(program)]})) == missing
    wish = {**wish, "unless": ["true"], "user": "nobody-of-this-name"}
    assert local.failure(wish)["code"] == "host-user-unknown"


def test_secrets_go_in_by_environment_and_input_and_stay_there(local: Worker, tmp_path: Path) -> None:
    program = 'read line; echo "$plain $hidden $line" > "$1"; echo "no $hidden, no $line" >&2; exit 3'
    wish = local.wish(
        "command", arguments=["sh", "-c", program, "sh", str(tmp_path / "out")], environment={"plain": "seen"},
        secret_environment={"hidden": "opensesame"}, input="swordfish\n",
    )  # fmt: skip
    error = local.failure(wish)
    assert (tmp_path / "out").read_text() == "seen opensesame swordfish\n"
    assert error["code"] == "host-command-failed"
    assert error["message"].endswith("ended with 3: no ********, no ********")


def test_a_command_that_hangs_is_killed(local: Worker) -> None:
    error = local.failure(local.wish("command", arguments=["sleep", "1000"], timeout=0.2))
    assert error["code"] == "host-program-timeout"


def test_what_is_waited_for_comes_and_is_no_change(local: Worker, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert local.apply(local.wish("wait-for", port=port)) == []
    wish = local.wish("wait-for", port=port, timeout=0.2, interval=0.05)
    assert local.failure(wish)["code"] == "host-wait-timeout"
    assert local.apply({**wish, "state": "absent"}) == []

    path = tmp_path / "comes"
    timer = threading.Timer(0.3, path.touch)
    timer.start()
    told = local.messages(local.wish("wait-for", path=str(path), interval=0.05) | {"triggers": ["never"]})
    timer.join()
    assert [change["waits"] for change in told[-1]["changes"]] == [True]
    assert path.exists()
    assert not (tmp_path / "home" / ".local" / "state" / "omeroadmin" / "pending.json").exists()
    assert local.apply(local.wish("wait-for", command=["test", "-e", str(path)])) == []
    gone = local.wish("wait-for", command=["test", "-e", str(path)], state="absent", timeout=0.1, interval=0.05)
    assert local.failure(gone)["code"] == "host-wait-timeout"
    assert (
        local.failure(local.wish("wait-for", command=["no-such-program"], timeout=0.1))["code"] == "host-wait-timeout"
    )


def lose(killed: Worker, wish: dict[str, Any]) -> None:
    with pytest.raises(AdminError, match="ended"):
        killed.messages(wish)


def test_a_program_of_a_killed_agent_is_waited_for(
    local: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "other"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    slow = [
        "sh",
        "-c",
        f"touch {tmp_path}/begun; while ! test -e {tmp_path}/go; do sleep 0.02; done; touch {tmp_path}/1",
    ]
    quick = local.wish("command", arguments=["mv", f"{tmp_path}/1", f"{tmp_path}/2"])
    with worker((*telling_pid(tmp_path / "pid"), *with_own_state())) as killed:
        thread = threading.Thread(target=lose, args=(killed, killed.wish("command", arguments=slow)))
        thread.start()
        wait_until((tmp_path / "begun").exists, timeout=30)
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
        thread.join()
    with worker(with_own_state()) as following:
        timer = threading.Timer(0.3, (tmp_path / "go").touch)
        timer.start()
        following.apply(quick)
        timer.join()
    assert (tmp_path / "2").exists()
    assert not (home / ".local" / "state" / "omeroadmin" / "program").exists()

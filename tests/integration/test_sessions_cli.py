"""``omero login`` and ``omero sessions`` against the reference server: every verb, statuses, what is stored."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import PASSWORD, LiveServer, command_line, live_server  # noqa: F401 - a fixture
from tests.support.omero import Omero
from tests.support.roles import join, lead
from tests.support.terminal import on_terminal


@pytest.fixture
def omero(live_server: LiveServer, tmp_path: Path) -> Omero:  # noqa: F811 - the fixture's name
    """A user of the instance who isn't logged in; the file ``password`` is root's, ``own`` that of other users."""
    made = command_line(live_server, tmp_path)
    (tmp_path / "own").write_text(f"{PASSWORD}\n")
    return made


@pytest.fixture
def root(omero: Omero) -> Omero:
    """Logged in as root."""
    omero.ok("login", "root@localhost", "--password-file", "password")
    return omero


def as_user(omero: Omero, user: str, *more: str) -> str:
    """Log in as a user.

    :return: what it says
    """
    done = omero.run("login", f"{user}@localhost", "--password-file", "own", *more)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_group_shows_and_switches(omero: Omero, live_server: LiveServer) -> None:  # noqa: F811
    user, other = live_server.add_user(), live_server.add_user()
    join(live_server, user, f"group-of-{other}")
    assert f"Current group: group-of-{user}" in as_user(omero, user)
    first = omero.ok("sessions", "group").removeprefix("ExperimenterGroup:").strip()
    said = omero.ok("sessions", "group", f"group-of-{other}")
    second = omero.ok("sessions", "group").removeprefix("ExperimenterGroup:").strip()
    assert said == f"Group 'group-of-{user}' (id={first}) switched to 'group-of-{other}' (id={second})\n"
    assert (
        omero.run("sessions", "group", second).stderr == f"Group 'group-of-{other}' (id={second}) is already active\n"
    )
    assert omero.json("sessions", "list", "--style", "json")["sessions"][0]["group"] == f"group-of-{other}"
    assert omero.ok("sessions", "group", "-g", first) == f"ExperimenterGroup:{first}\n", "for one command"
    assert omero.ok("sessions", "group") == f"ExperimenterGroup:{second}\n"
    refused = omero.run("sessions", "group", "system")
    assert (refused.returncode, refused.stdout) == (5, "")
    assert refused.stderr.count("\n") == 1
    assert f"{user} is not in a group 'system'" in refused.stderr


def test_login_to_a_group_and_with_a_timeout(omero: Omero, live_server: LiveServer) -> None:  # noqa: F811
    user, other = live_server.add_user(), live_server.add_user()
    join(live_server, user, f"group-of-{other}")
    said = as_user(omero, user, "-g", f"group-of-{other}", "-t", "1800")
    assert "Idle timeout: 30 min." in said
    assert f"Current group: group-of-{other}" in said
    used = omero.run("login", f"{user}@localhost", "-g", f"group-of-{other}", "-t", "60")
    assert used.stderr.startswith(f"Using session for {user}@localhost")
    assert "Idle timeout: 60 s." in used.stderr
    assert omero.ok("sessions", "timeout") == "60\n"
    omero.ok("sessions", "timeout", "90")
    assert omero.ok("sessions", "timeout") == "90\n"
    too_long = omero.run("sessions", "timeout", "6001")
    assert too_long.returncode == 5
    assert "for at most 6000 seconds" in too_long.stderr
    elsewhere = omero.run("login", f"{user}@localhost", "-g", f"group-of-{user}")
    assert elsewhere.returncode == 3, "another group is another session, which needs a password"


def test_sudo(omero: Omero, live_server: LiveServer) -> None:  # noqa: F811
    user, owner = live_server.add_user(), live_server.add_user()
    join(live_server, user, f"group-of-{owner}")
    lead(live_server, owner, f"group-of-{owner}")
    done = omero.run("login", f"{user}@localhost", "--sudo", "root", "--password-file", "password")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"Created session for {user}@localhost:{live_server.ssl_port} (sudo: root).")
    assert f",{user},group-of-{user},OMERO.cli," in omero.ok("sessions", "who", "--style", "csv")
    reused = omero.run("login", f"{user}@localhost", "--sudo", "root")
    assert reused.stderr.startswith("Using session"), "the stored session was opened by root, too"
    assert omero.run("sessions", "who", "-u", user, "--sudo", owner).returncode == 3, "that one wasn't"
    lead_login = omero.run("login", f"{user}@localhost", "--sudo", owner, "--password-file", "own")
    assert f"Current group: group-of-{owner}" in lead_login.stderr
    refused = omero.run("login", f"{owner}@localhost", "--sudo", user, "--password-file", "own")
    assert (refused.returncode, refused.stderr.count("\n")) == (5, 1)
    assert "is neither an administrator nor an owner" in refused.stderr
    conflict = omero.run("sessions", "who", "-k", "x" * 36, "--sudo", "root")
    assert conflict.returncode == 2


def test_commands_log_in_by_themselves(omero: Omero, live_server: LiveServer) -> None:  # noqa: F811
    user = live_server.add_user()
    done = omero.run("sessions", "who", "-s", "localhost", "-u", user, "--password-file", "own", "--style", "csv")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    again = omero.ok("sessions", "who", "-u", user, "--style", "csv")
    assert len(again.splitlines()) == 2, "the session is used again"
    new = omero.run("sessions", "who", "-u", user, "-C", "-w", PASSWORD, "--style", "csv")
    assert len(new.stdout.splitlines()) == 3, new.stderr


def test_file_and_key(root: Omero, live_server: LiveServer) -> None:  # noqa: F811
    path = Path(root.ok("sessions", "file").strip())
    key = root.ok("sessions", "key").strip()
    assert path == root.home / "omero" / "sessions" / "localhost" / "root" / key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert all(stat.S_IMODE(parent.stat().st_mode) == 0o700 for parent in list(path.parents)[:3])
    joined = root.run("sessions", "group", "-k", "-", input_text=f"{key}\n")
    assert joined.stdout == "ExperimenterGroup:0\n", joined.stderr
    assert root.run("logout", "-k", "-", input_text=f"{key}\n").returncode == 0
    assert not path.exists()
    assert live_server.sql("SELECT closed IS NULL FROM session WHERE uuid = %s", key) == [(False,)]
    for verb in ("file", "key"):
        nothing = root.run("sessions", verb)
        assert (nothing.returncode, nothing.stdout) == (3, "")


def test_directories_that_the_environment_names(omero: Omero, tmp_path: Path) -> None:
    for variable, below in (("OMERO_USERDIR", "sessions/localhost"), ("OMERO_SESSIONDIR", "localhost")):
        chosen = tmp_path / variable.lower()
        where = {variable: str(chosen), "OMERO_PASSWORD": ROOT_PASSWORD}
        assert omero.run("login", "root@localhost", environment=where).returncode == 0
        path = omero.run("sessions", "file", environment=where).stdout.strip()
        assert path.startswith(str(chosen / below))
        assert omero.run("logout", environment=where).returncode == 0


def test_list_shows_keys_only_when_asked(root: Omero) -> None:
    key = root.ok("sessions", "key").strip()
    assert key not in root.ok("sessions", "list")
    shown = root.json("sessions", "list", "--show-keys", "--style", "json")["sessions"]
    assert [(one["session"], one["active"]) for one in shown] == [(key, "Logged in")]


def test_clear(root: Omero, live_server: LiveServer) -> None:  # noqa: F811
    dead = root.ok("sessions", "key").strip()
    live_server.sql("UPDATE session SET closed = now() WHERE uuid = %s", dead)
    states = root.json("sessions", "list", "--no-purge", "--style", "json")["sessions"]
    assert [one["active"] for one in states] == ["Expired"]
    root.ok("login", "root@localhost", "-C", "--password-file", "password")
    alive = root.ok("sessions", "key").strip()
    assert root.ok("sessions", "clear") == "1 session(s) cleared\n"
    assert root.ok("sessions", "key").strip() == alive
    assert root.ok("sessions", "clear", "--all") == "1 session(s) cleared\n"
    assert live_server.sql("SELECT closed IS NULL FROM session WHERE uuid = %s", alive) == [(False,)]
    assert root.ok("sessions", "clear", "--all") == "0 session(s) cleared\n"


def test_open_and_close(root: Omero, live_server: LiveServer) -> None:  # noqa: F811
    user = live_server.add_user()
    done = root.run("sessions", "open", "--user-name", user, "--timeout", "600")
    assert done.returncode == 0, done.stderr
    limits = "timeToIdle: 600 sec, timeToLive: 600 sec"
    assert done.stderr == f"Session created for user {user} in group group-of-{user} ({limits})\n"
    key = done.stdout.strip()
    assert root.ok("sessions", "who", "-k", key, "--style", "csv").count(user) == 2, "the user, and the user's group"
    assert root.run("sessions", "close", "-", input_text=f"{key}\n").stderr == "Session closed.\n"
    assert root.run("sessions", "close", "-", input_text=f"{key}\n").returncode == 3
    number = live_server.tls().login(user, PASSWORD).call("GET", "/sessions").document["sessions"][-1]["id"]
    assert root.run("sessions", "close", str(number)).returncode == 0
    missing = root.run("sessions", "close", str(number))
    assert (missing.returncode, missing.stderr.count("\n")) == (5, 1)
    assert root.run("sessions", "open").returncode == 2
    as_user(root, user)
    assert root.run("sessions", "open", "--user-name", "root").returncode == 5


def test_keepalive_runs_until_interrupted(root: Omero, live_server: LiveServer) -> None:  # noqa: F811
    command = [sys.executable, "-m", "omeroadmin", "sessions", "keepalive", "-f", "1"]
    process = subprocess.Popen(command, env=root.environment, cwd=root.home, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "Running keep alive every 1 seconds\n"
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    key = root.ok("sessions", "key").strip()
    process = subprocess.Popen(command, env=root.environment, cwd=root.home, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    process.stderr.readline()
    live_server.sql("UPDATE session SET closed = now() WHERE uuid = %s", key)
    assert process.wait(20) == 3, "when the session has ended, so does its keepalive"
    assert key not in process.stderr.read()


def test_a_kept_session_outlives_its_timeout(root: Omero, live_server: LiveServer) -> None:  # noqa: F811
    kept = root.ok("sessions", "key").strip()
    live_server.sql("UPDATE session SET timetoidle = 3000 WHERE uuid = %s", kept)
    command = [sys.executable, "-m", "omeroadmin", "sessions", "keepalive", "-f", "1", "-q"]
    with subprocess.Popen(command, env=root.environment, cwd=root.home) as process:
        idle = live_server.tls().login()
        live_server.sql("UPDATE session SET timetoidle = 3000 WHERE uuid = %s", idle.key)

        def idle_is_over() -> bool:
            closed = "SELECT closed IS NOT NULL OR started < timezone('UTC', now()) - interval '5 s' FROM session"
            return bool(live_server.sql(f"{closed} WHERE uuid = %s", idle.key)[0][0])

        assert wait_until(idle_is_over, timeout=30)
        assert idle.call("GET", "/sessions/current").status == 401
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
    assert root.ok("sessions", "key").strip() == kept
    assert root.run("sessions", "who").returncode == 0


def test_questions_on_a_terminal(omero: Omero, live_server: LiveServer) -> None:  # noqa: F811
    command = [sys.executable, "-m", "omeroadmin", "login"]
    with on_terminal(command, omero.environment) as terminal:
        terminal.expect(f"Server: [localhost:{live_server.ssl_port}] ")
        terminal.type("\n")
        terminal.expect("Username: [")
        terminal.type("root\n")
        terminal.expect("Password for root@")
        terminal.type("wrong\n")
        terminal.expect("user name or password is wrong")
        terminal.expect("Password for root@")
        terminal.type(f"{ROOT_PASSWORD}\n")
        terminal.expect("Created session for root@")
        assert terminal.end() == 0
        assert ROOT_PASSWORD not in terminal.shown
    with on_terminal([*command, "-C", "nobody@localhost"], omero.environment) as terminal:
        for _ in range(3):
            terminal.expect("Password for nobody@")
            terminal.type("wrong\n")
        assert terminal.end() == 3, "three attempts"
    with on_terminal([sys.executable, "-m", "omeroadmin", "sessions", "keepalive"], omero.environment) as terminal:
        terminal.expect("Running keep alive every 60 seconds")
        terminal.type("\n")
        assert terminal.end() == 0, "Enter ends it"


def test_no_questions_without_a_terminal(omero: Omero) -> None:
    done = omero.run("login")
    assert (done.returncode, done.stdout) == (3, "")
    assert "no terminal to ask at" in done.stderr

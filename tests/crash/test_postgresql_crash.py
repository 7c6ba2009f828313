"""What a crash leaves behind must not keep the instance's own PostgreSQL from starting."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from omeroadmin.database import embedded
from omeroadmin.database.connection import connect
from omeroadmin.database.plan import DatabaseWish, database_facts, plan_database
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.clock import wait_until
from omeroadmin.system.local import LocalHost
from tests.support.database import DatabaseUnderTest, make_instance


def test_kill_9_loses_nothing(embedded_instance: DatabaseUnderTest) -> None:
    instance, settings = embedded_instance.instance, embedded_instance.settings
    with connect(embedded_instance.address) as connection:
        connection.execute("INSERT INTO configuration VALUES ('kept', 'yes')")
    pid = embedded.status(instance).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: not embedded.status(instance).running, timeout=10)
    assert embedded.start(instance, settings).pid != pid
    with connect(embedded_instance.address) as connection:
        assert connection.execute("SELECT value FROM configuration WHERE name = 'kept'").fetchone() == ("yes",)


def test_a_pid_that_is_anothers_now(embedded_instance: DatabaseUnderTest) -> None:
    instance, settings = embedded_instance.instance, embedded_instance.settings
    data = embedded.cluster_of(instance).data
    lines = (data / "postmaster.pid").read_text().splitlines()
    embedded.stop(instance, settings)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (data / "postmaster.pid").write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert not embedded.status(instance).running
        assert not embedded.stop(instance, settings)
        assert embedded.start(instance, settings).running
        assert other.poll() is None
        other.communicate(b"\n")


def test_an_interrupted_initdb_is_made_good(tmp_path: Path) -> None:
    made = make_instance(tmp_path)
    directory = made.instance.embedded_database
    unfinished = directory / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("15\n")
    (directory / "superuser_password").write_text("old\n")
    assert not embedded.status(made.instance).exists
    wish = DatabaseWish(made.instance, made.settings, made.instance.root_password_file)
    apply_plan(plan_database(database_facts(made.instance, made.settings), wish), LocalHost())
    assert not unfinished.exists()
    assert not plan_database(database_facts(made.instance, made.settings), wish)
    assert not embedded.status(made.instance).running


def test_stopped_between_two_steps(tmp_path: Path) -> None:
    made = make_instance(tmp_path)
    wish = DatabaseWish(made.instance, made.settings, made.instance.root_password_file)
    for expected in (["start", "create", "load", "stop"], ["create", "load"], ["load"]):
        plan = plan_database(database_facts(made.instance, made.settings), wish)
        plan.steps[0].apply(LocalHost())
        left = plan_database(database_facts(made.instance, made.settings), wish)
        assert [line.split()[0] for line in left.lines()] == expected
    embedded.stop(made.instance, made.settings)

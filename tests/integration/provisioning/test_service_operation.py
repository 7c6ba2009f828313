"""Services by the scripts of init, where systemd doesn't run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.agents import Worker
from tests.support.components import require_program

SCRIPT = """\
#!/bin/sh
### BEGIN INIT INFO
# Provides:          sample
# Required-Start:
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
### END INIT INFO
pid=/run/sample.pid
case $1 in
    start) sleep 600 & echo $! > $pid; echo start >> /run/sample.log ;;
    stop) kill "$(cat $pid)"; rm $pid; echo stop >> /run/sample.log ;;
    restart) "$0" stop; "$0" start ;;
    status) test -e $pid && kill -0 "$(cat $pid)" ;;
    *) exit 2 ;;
esac
"""


@pytest.mark.root
def test_service_of_a_script_starts_with_the_machine_and_now(apart: Worker, tmp_path: Path) -> None:
    require_program("update-rc.d", "init-system-helpers")
    wish = apart.wish("service", name="sample", state="started", enabled=True)
    stopped = apart.wish("service", name="sample", state="stopped", enabled=False)
    error = apart.failure(wish)
    assert (error["code"], error["message"]) == ("host-service-unknown", "there is no script /etc/init.d/sample")
    assert apart.apply(stopped) == []
    script = tmp_path / "host" / "etc" / "init.d" / "sample"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    # Its daemon holds on to the script's output; nothing waits for that.
    assert apart.apply(wish) == ["have sample start with the machine", "start sample"]
    apart.undo()
    assert not (tmp_path / "host" / "run" / "sample.pid").exists()
    assert apart.facts("service", name="sample")["enabled"] is False
    apart.apply(wish)
    assert apart.apply(wish) == []
    assert apart.apply(apart.wish("service", name="sample", state="reloaded")) == ["reload sample"]
    assert apart.apply(stopped) == ["stop sample", "don't start sample with the machine"]
    log = (tmp_path / "host" / "run" / "sample.log").read_text()
    assert log.split() == ["start", "stop", "start", "stop", "start", "stop"]


@pytest.mark.root
def test_service_that_does_not_come_up_is_a_failure(apart: Worker, tmp_path: Path) -> None:
    script = tmp_path / "host" / "etc" / "init.d" / "sample"
    script.write_text("#!/bin/sh\ntest $1 = status || echo 'no port is free' >&2\nexit 3\n")
    script.chmod(0o755)
    error = apart.failure(apart.wish("service", name="sample", state="started"))
    assert error["code"] == "host-service-failed"
    assert error["message"] == "start of sample ended with 3: no port is free"


@pytest.mark.root
def test_a_restart_is_done_again_when_its_cause_has_been_taken_back(apart: Worker, tmp_path: Path) -> None:
    script = tmp_path / "host" / "etc" / "init.d" / "sample"
    script.write_text(SCRIPT.replace("restart)", "restart) cat /etc/sample >> /run/sample.log;"))
    script.chmod(0o755)
    file = apart.wish("file", path="/etc/sample", content="old\n")
    apart.apply(file, apart.wish("service", name="sample", state="started"))
    restart = apart.wish("service", name="sample", state="restarted")
    apart.apply({**file, "content": "new\n"}, restart, restart)
    assert apart.undo() == ["wrote /etc/sample as it was", "restarted sample"]
    log = (tmp_path / "host" / "run" / "sample.log").read_text().split()
    assert [word for word in log if word in {"old", "new"}] == ["new", "new", "old"]
    apart.apply(apart.wish("service", name="sample", state="stopped"))

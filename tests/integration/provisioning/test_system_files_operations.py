"""cron, limits and sysctl on a host that has its own /etc and network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.agents import Worker, leftovers

pytestmark = pytest.mark.root
PARAMETER = "net.ipv4.conf.lo.log_martians"
"""Of one network: this test's is its own."""
LIVE = Path("/proc/sys") / PARAMETER.replace(".", "/")


def test_files_and_values_are_written_once_and_taken_back(apart: Worker, tmp_path: Path) -> None:
    etc, before = tmp_path / "host" / "etc", LIVE.read_text()
    wishes = (
        apart.wish("cron", name="omero-test", schedule="@daily", user="nobody", command="true"),
        apart.wish("limits", name="omero-test", domain="nobody", values={"nofile": 4096}),
        apart.wish("sysctl", name="omero-test", values={PARAMETER: 1 - int(before), "net.not.there": 1}),
    )
    (etc / "cron.d").mkdir(exist_ok=True)
    assert len(apart.apply(*wishes)) == 4
    run = apart.run
    files = [etc / "cron.d/omero-test", etc / "security/limits.d/omero-test.conf", etc / "sysctl.d/omero-test.conf"]
    assert all(file.stat().st_mode & 0o7777 == 0o644 for file in files)
    assert LIVE.read_text() != before
    assert apart.apply(*wishes) == []
    files[0].chmod(0o666)
    LIVE.write_text(before)
    assert apart.apply(*wishes) == ["change mode of /etc/cron.d/omero-test", f"set {PARAMETER} now"]
    apart.run = run
    assert len(apart.undo()) == 4
    assert not any(file.exists() for file in files)
    assert LIVE.read_text() == before
    assert not leftovers(tmp_path)


def test_a_value_that_the_kernel_refuses_is_one_line(apart: Worker) -> None:
    error = apart.failure(apart.wish("sysctl", name="omero-test", values={PARAMETER: "many"}))
    assert error["code"] == "host-parameter-not-set"
    assert apart.apply(apart.wish("sysctl", name="omero-test", values={PARAMETER: "many"}, live=False)) == []

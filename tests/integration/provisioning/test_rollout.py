"""Roll-outs with real agents: planned, applied, applied again, failing, rolling, interrupted, taken back."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.provisioning.journal import list_runs, read_journal
from omeroadmin.provisioning.rollout_choice import read_scope
from omeroadmin.provisioning.rollout_plan import HostState
from omeroadmin.provisioning.saved_plan import read_plan, require_same, save_plan
from omeroadmin.workflows.rollout import Rollout, Way, plan_undo
from tests.support.agents import leftovers
from tests.support.rollouts import Heard, Site, states, words

FILES = """\
- stage: files
  operations:
    - {directory: {path: "{{ root }}/d", mode: '0750'}}
    - name: Greeting
      file: {path: "{{ root }}/d/{{ item }}", content: "{{ item }} of {{ host.name }}\\n"}
      for_each: [a, b]
      triggers: count
- stage: after
  operations:
    - id: count
      command: {arguments: [sh, -c, "echo x >> {{ root }}/d/count"]}
"""


def test_applied_once_then_nothing_then_drift_is_mended(tmp_path: Path) -> None:
    site = Site(tmp_path)
    choice = site.choice(site.playbook(FILES))
    plan = site.plan(choice)
    assert states(plan) == {"h1": "changes", "h2": "changes"}
    assert not site.file("h1", "d").exists()
    report = site.apply(choice)
    assert states(report) == {"h1": "changed", "h2": "changed"}
    assert len(words(report, "h1")) == 4
    assert site.file("h2", "d/a").read_text() == "a of h2\n"
    assert site.file("h2", "d/count").read_text() == "x\n"
    assert "h1 2/4 Greeting" in site.heard.titles
    again = site.apply(choice)
    assert states(again) == {"h1": "unchanged", "h2": "unchanged"}
    assert states(site.plan(choice)) == {"h1": "unchanged", "h2": "unchanged"}
    site.file("h1", "d").chmod(0o700)
    site.file("h2", "d/b").write_text("by hand\n")
    assert {host.host: [change.key for change in host.changes] for host in site.plan(choice).hosts} == {
        "h1": ["p/files/1"], "h2": ["p/files/2/2", "p/after/1"],
    }  # fmt: skip
    mended = site.apply(choice)
    assert words(mended, "h1") == [f"change mode of {site.file('h1', 'd')}"]
    assert states(site.apply(choice)) == {"h1": "unchanged", "h2": "unchanged"}
    assert site.file("h1", "d/count").read_text() == "x\n"
    assert site.file("h2", "d/count").read_text() == "x\nx\n"
    assert [read_journal(site.journals, run).run for run in list_runs(site.journals)] == list_runs(site.journals)
    assert all((site.journals / f"{run}.jsonl").stat().st_mode & 0o777 == 0o600 for run in list_runs(site.journals))


def test_one_host_fails_and_the_others_go_on(tmp_path: Path) -> None:
    site = Site(tmp_path, count=3)
    text = FILES.replace("- stage: after", "- {stage: middle, operations: [{command: {arguments: [test, '!', -e, "
                         '"{{ root }}/bad"]}}]}\n- stage: after')  # fmt: skip
    site.file("h2", "bad").write_text("")
    site.file("h3", "d").write_text("in the way")
    report = site.apply(site.choice(site.playbook(text)))
    assert states(report) == {"h1": "changed", "h2": "failed", "h3": "failed"}
    assert report.exit_status is ExitStatus.FAILED
    assert report.hosts[2].problem is not None
    assert "is not a directory" in report.hosts[2].problem.message
    assert site.file("h3", "d").read_text() == "in the way"
    # What was triggered before the failure is done by the next run.
    assert not site.file("h2", "d/count").exists()
    site.file("h2", "bad").unlink()
    assert states(site.apply(site.choice(site.playbook(text)), 0))["h2"] == "changed"
    assert site.file("h2", "d/count").read_text() == "x\n"


def test_a_rolling_one_ends_after_a_failure(tmp_path: Path) -> None:
    site = Site(tmp_path, count=4)
    site.file("h2", "d").write_text("in the way")
    playbook = site.playbook(FILES, head="serial: 2")
    assert states(site.apply(site.choice(playbook), serial=1)) == {
        "h1": "changed", "h2": "failed", "h3": "not begun", "h4": "not begun",
    }  # fmt: skip
    site.file("h2", "d").unlink()
    site.file("h3", "d").write_text("in the way")
    assert states(site.apply(site.choice(playbook))) == {
        "h1": "unchanged", "h2": "changed", "h3": "failed", "h4": "not begun",
    }  # fmt: skip


def test_a_host_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    site = Site(tmp_path)
    scope = read_scope(site.choice(site.playbook(FILES)), {})
    text = (site.directory / "hosts.yml").read_text().replace("h2: {", "h2: {address: 127.0.0.1, port: 1, ")
    (site.directory / "hosts.yml").write_text(text)
    scope = read_scope(site.choice(site.playbook(FILES)), {})
    with Rollout(scope.hosts[1:], scope.inventory, Way(), Heard()) as rollout:
        (plan,) = rollout.plan(scope.playbooks).hosts
    assert plan.state is HostState.UNREACHABLE
    assert plan.problem is not None
    assert "Connection refused" in plan.problem.message


def test_locked_hosts_are_left_alone(tmp_path: Path) -> None:
    site = Site(tmp_path)
    choice = site.choice(site.playbook(FILES))
    inventory = read_scope(choice, {}).inventory
    holder = site.open(inventory.by_name["h1"])
    try:
        holder.apply("20261124-000000-0000", "somebody@elsewhere", "s", (), (), lambda message: None)
        report = site.apply(choice)
    finally:
        holder.close()
    assert states(report) == {"h1": "locked", "h2": "changed"}
    assert report.exit_status is ExitStatus.LOCKED
    assert report.hosts[0].problem is not None
    assert "somebody@elsewhere" in report.hosts[0].problem.message
    assert states(site.apply(choice)) == {"h1": "changed", "h2": "unchanged"}


def test_a_failing_stage_takes_back_what_its_kind_changed(tmp_path: Path) -> None:
    site = Site(tmp_path, count=1)
    text = """\
    - stage: kept
      operations: [{file: {path: "{{ root }}/kept", content: x}}]
    - stage: switch
      on_failure: undo
      operations: [{file: {path: "{{ root }}/link", content: new}}]
    - stage: check
      on_failure: undo
      operations:
        - file: {path: "{{ root }}/more", content: x}
        - command: {arguments: ["false"]}
    """
    site.file("h1", "link").write_text("old")
    report = site.apply(site.choice(site.playbook(text)))
    assert states(report) == {"h1": "failed"}
    assert site.file("h1", "link").read_text() == "old"
    assert site.file("h1", "kept").exists()
    assert not site.file("h1", "more").exists()
    assert [done.undone for done in report.hosts[0].changes] == [False, False, False, True, True]


def test_a_run_is_taken_back(tmp_path: Path) -> None:
    site = Site(tmp_path)
    choice = site.choice(site.playbook(FILES.partition("- stage: after")[0].replace("      triggers: count\n", "")))
    first = site.apply(choice)
    site.file("h1", "d/a").write_text("by hand\n")
    second = site.apply(choice)
    inventory = read_scope(choice, {}).inventory
    with pytest.raises(AdminError, match="has changed h1 since") as caught:
        plan_undo(site.journals, first.run, "", inventory)
    assert caught.value.code == "run-not-last"
    for run in (second.run, first.run):
        report, hosts = plan_undo(site.journals, run, "", inventory)
        with Rollout(hosts, inventory, Way(), Heard(), site.open) as rollout:
            undone = rollout.undo(report.run, site.journals)
        assert undone.undoes == run
        if run == second.run:
            assert site.file("h1", "d/a").read_text() == "by hand\n"
            assert states(undone) == {"h1": "changed"}
    assert not site.file("h1", "d").exists()
    assert not site.file("h2", "d").exists()
    with pytest.raises(AdminError, match="took back"):
        plan_undo(site.journals, undone.run, "", inventory)


def test_a_saved_plan_holds_until_something_changes(tmp_path: Path) -> None:
    site = Site(tmp_path, variables="token: !env TOKEN")
    text = '- {stage: s, operations: [{file: {path: "{{ root }}/f", content: "a {{ token }}"}}]}\n'
    playbook = site.playbook(text, head="variables:\n  token: {description: D.}\n")
    choice = site.choice(playbook)
    environment = {"TOKEN": "swordfish"}
    file = tmp_path / "saved"
    save_plan(file, choice, site.plan(choice, environment))
    assert file.stat().st_mode & 0o777 == 0o600
    assert "swordfish" not in file.read_text()
    again, digests = read_plan(file)
    assert again == choice
    require_same(file, digests, site.plan(again, environment))

    def outdated() -> bool:
        with pytest.raises(AdminError) as caught:
            require_same(file, digests, site.plan(again, environment))
        return caught.value.code == "plan-outdated"

    site.file("h1", "f").write_text("by hand")
    assert outdated()
    site.file("h1", "f").unlink()
    playbook.write_text(playbook.read_text().replace("content:", "mode: '0600', content:"))
    assert outdated()
    file.write_text(json.dumps({"schema": "omeroadmin/hosts/saved-plan/1", "asked": {}}))
    with pytest.raises(AdminError, match="is no saved plan"):
        read_plan(file)


def test_an_interrupt_ends_it_between_two_operations(tmp_path: Path) -> None:
    site = Site(tmp_path, count=1)
    text = "- stage: s\n  operations:\n"
    for number in (1, 2):
        text += f'    - command: {{arguments: [sh, -c, "echo {number} >> {{{{ root }}}}/log; sleep 1"]}}\n'
    choice = site.choice(site.playbook(text))
    scope = read_scope(choice, {})
    with Rollout(scope.hosts, scope.inventory, Way(), Heard(), site.open) as rollout:
        rollout.plan(scope.playbooks)
        threading.Timer(0.3, scope.hosts[0].halt).start()
        report = rollout.apply(scope.playbooks, site.journals)
    assert states(report) == {"h1": "interrupted"}
    assert report.exit_status is ExitStatus.INTERRUPTED
    assert report.complete
    assert site.file("h1", "log").read_text() == "1\n"


def test_no_secret_is_left_anywhere(tmp_path: Path) -> None:
    site = Site(tmp_path, variables="token: !env TOKEN")
    text = """\
    - stage: s
      operations:
        - file: {path: "{{ root }}/secret", content: "a {{ token }}"}
        - command: {arguments: [sh, -c, 'echo "$T" >&2; exit 1'], secret_environment: {T: "{{ token }}"}}
    """
    choice = site.choice(site.playbook(text, head="variables:\n  token: {description: D.}\n"))
    report = site.apply(choice, environment={"TOKEN": "swordfish"})
    assert states(report) == {"h1": "failed", "h2": "failed"}
    assert "swordfish" not in repr(report)
    assert site.file("h1", "secret").stat().st_mode & 0o777 == 0o600
    site.file("h1", "secret").write_text("a hand-made swordfish")
    site.apply(choice, environment={"TOKEN": "swordfish"})
    holding = [
        path for path in tmp_path.rglob("*")
        if path.is_file() and path.name != "secret" and b"swordfish" in path.read_bytes()
    ]  # fmt: skip
    assert holding == []
    assert leftovers(tmp_path) == []

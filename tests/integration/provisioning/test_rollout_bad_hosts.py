"""A roll-out over hosts of which most are in some trouble: a line for each of them, and the others are done."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.rollout_site import Controller, problems
from tests.support.ssh import make_key
from tests.support.testhosts import KEEPER, Wanted, running_hosts

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes namespaces"),
]
WRONG = "Wasserramsel-99"
PLAYBOOK = """\
playbook: note
title: A note
hosts: all
requires:
  - {that: base.family == "debian", message: notes are for Debian and Ubuntu}
variables:
  words: {default: one, description: What it says.}
stages:
  - stage: files
    operations:
      - directory: /opt/noted
      - package: {names: ["{{ 'no-such-package' if host.name == 'short' else 'tree' }}"]}
        when: host.name == "short"
      - file: {path: /opt/noted/words, content: "{{ words }}\\n"}
"""
GOOD = {"good", "old"}
BAD = {
    "rekeyed": ("unreachable", "ssh-host-key-changed", "known_hosts"),
    "locked": ("failed", "sudo-refused", "password"),
    "full": ("failed", None, "No space left on device"),
    "short": ("failed", None, "no-such-package"),
    "bare": ("failed", "python-missing", "python3"),
    "fixed": ("failed", None, "Read-only file system"),
    "strange": ("failed", "host-requirement", "Debian"),
    "down": ("unreachable", "ssh-unreachable", "can't be reached"),
    "silent": ("unreachable", "ssh-unreachable", "can't be reached"),
}
"""State, code and part of the message of each."""


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    directory = tmp_path_factory.mktemp("bad")
    home = directory / "controller"
    home.mkdir()
    wanted: list[Wanted | str] = [
        "good", "rekeyed", "locked", Wanted("full", size="16m"), "short", Wanted("bare", python="none"), "fixed",
        "strange", Wanted("old", python="3.9"),
    ]  # fmt: skip
    with running_hosts(directory, wanted) as site, closing(socket.create_server((site.address, 0))) as silent:
        key = site["rekeyed"].root / "etc/ssh/ssh_host_ed25519_key"
        key.unlink()
        make_key(key)
        for name, text in (("note.yml", PLAYBOOK), ("password", WRONG)):
            (home / name).write_text(text)
            (home / name).chmod(0o600)
        release = site["strange"].root / "etc/os-release"
        release.unlink()
        release.write_text("ID=plan9\nVERSION_ID=4\n")
        controller = Controller(site, home)
        path = site.inventory(home / "hosts.yml", hosts={"locked": {"user": KEEPER, "sudo_password": "PASSWORD"}})
        nobody = site.address.rpartition(".")[0] + ".250"
        path.write_text(
            path.read_text().replace("sudo_password: PASSWORD", "sudo_password: !file password")
            + f"  down: {{address: {nobody}, timeout: 3}}\n"
            + f"  silent: {{address: {site.address}, port: {silent.getsockname()[1]}, timeout: 3}}\n"
        )
        site["full"].fill_disk()
        site["fixed"].set_read_only()
        yield controller
        site["fixed"].set_read_only(read_only=False)


def words_of(controller: Controller, host: str) -> str:
    """What the note of a host says; empty where there is none."""
    path = controller.site[host].root / "opt/noted/words"
    return path.read_text().strip() if path.exists() else ""


def by_host(document: str) -> dict[str, Any]:
    """Hosts of a JSON document by their names."""
    return {host["host"]: host for host in json.loads(document)["hosts"]}


def test_one_line_for_each_and_the_others_are_done(controller: Controller) -> None:
    done = controller.run("apply", "note.yml", "--yes", "--forks", "16", "--json", status=5)
    hosts = by_host(done.stdout)
    assert set(hosts) == GOOD | set(BAD)
    for name, host in hosts.items():
        if name in GOOD:
            assert (host["state"], host["problem"]) == ("changed", None)
            assert words_of(controller, name) == "one"
            continue
        state, code, part = BAD[name]
        assert host["state"] == state, host
        assert part in host["problem"]["message"], host
        assert code in (None, host["problem"]["code"]), host
        assert "\n" not in host["problem"]["message"]
        assert host["problem"]["hint"], host
    assert WRONG not in done.stdout + done.stderr
    assert json.loads(controller.run("report", "--json", status=None).stdout) == json.loads(done.stdout)


def test_what_people_see(controller: Controller) -> None:
    done = controller.run("apply", "note.yml", "--yes", "--forks", "16", status=5)
    # Hosts of which the same is to be said share a line.
    assert f"{', '.join(sorted(GOOD))}: unchanged\n" in done.stdout
    lines = problems(done.stderr)
    assert {name: len(found) for name, found in lines.items()} == dict.fromkeys(BAD, 1)
    report = controller.run("report", status=None)
    assert problems(report.stderr) == lines


def test_plans_of_hosts_in_trouble(controller: Controller) -> None:
    """What a plan can know it says; a full disk isn't among that."""
    done = controller.run("plan", "note.yml", "--forks", "16", "--json", "--detailed-exitcode", status=5)
    states = {name: host["state"] for name, host in by_host(done.stdout).items()}
    assert {name for name, state in states.items() if state == "unreachable"} == {"rekeyed", "down", "silent"}
    assert {"locked", "bare", "strange"} <= {name for name, state in states.items() if state == "failed"}
    assert states["good"] == "unchanged"


@pytest.mark.parametrize(("limit", "status"), [("good,rekeyed", 4), ("good,rekeyed,bare", 5), ("good,old", 0)])
def test_statuses_of_mixtures(controller: Controller, limit: str, status: int) -> None:
    controller.run("apply", "note.yml", "--yes", "--limit", limit, status=status)


@pytest.mark.parametrize(("bad", "state"), [("short", "failed"), ("rekeyed", "unreachable")])
def test_one_at_a_time_ends_with_the_first_failure(controller: Controller, bad: str, state: str) -> None:
    before = words_of(controller, "old")
    wish = ("apply", "note.yml", "--yes", "--serial", "1", "--limit", f"good,{bad},old", "--set", f"words={bad}")
    done = controller.run(*wish, "--json", status=4 if state == "unreachable" else 5)
    states = {name: host["state"] for name, host in by_host(done.stdout).items()}
    assert states == {"good": "changed", bad: state, "old": "not begun"}
    assert (words_of(controller, "good"), words_of(controller, "old")) == (bad, before)


def test_when_there_is_room_again(controller: Controller) -> None:
    site = controller.site
    site["full"].empty_disk()
    site["fixed"].set_read_only(read_only=False)
    try:
        done = controller.run("apply", "note.yml", "--yes", "--limit", "full,fixed", "--json")
    finally:
        site["fixed"].set_read_only()
    assert {host["state"] for host in by_host(done.stdout).values()} == {"changed"}
    for name in ("full", "fixed"):
        assert list(Path(site[name].layer / "opt/noted").iterdir()) == [site[name].layer / "opt/noted/words"]

"""Playbooks with any damage are read, or refused in one line with file and line; nothing else happens."""

from __future__ import annotations

import functools
import random
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from omeroadmin.errors import AdminError
from omeroadmin.provisioning.playbook_reader import read_playbook_file
from omeroadmin.provisioning.rollout_choice import RolloutChoice, read_scope
from omeroadmin.resources import playbooks_directory
from tests.support.attempts import attempt

PLAYBOOK = """\
playbook: web
title: T
hosts: all
serial: 2
variables:
  port: {type: port, default: 4080, description: D.}
  names: {type: list, default: [a, "{{ base.family }}"], description: D.}
requires:
  - {that: base.systemd, message: M}
stages:
  - stage: files
    when: port > 1024
    on_failure: undo
    operations:
      - name: "Words {{ item }}"
        file: {path: "/{{ item }}", content: "{{ port }}", mode: 0644}
        for_each: names
        when: [port > 1, "item != 'b'"]
        triggers: again
      - {id: again, command: {arguments: [echo, "{{ names }}"]}}
"""
PIECES = ["{{", "}}", "{%", "%}", "{", "}", "[", "]", ":", "- ", "\n", "  ", "'", '"', "!file x", "!env Y", "null",
          "*a", "port", "item", "|", "~", "\x00", "é", "0", "-1", "true", "when: ", "id: again", "file: "]  # fmt: skip


EDIT = some.tuples(some.integers(0, len(PLAYBOOK)), some.integers(0, 8), some.sampled_from(PIECES))
BASE = {"family": "debian", "systemd": True}


@given(some.lists(EDIT, max_size=2))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage(tmp_path: Path, edits: list[tuple[int, int, str]]) -> None:
    text = PLAYBOOK
    for start, length, piece in edits:
        text = text[:start] + piece + text[start + length :]
    file = tmp_path / "web.yml"
    file.write_text(text)
    found = attempt(lambda: read_playbook_file(file, {}))
    if isinstance(found, AdminError):
        assert "web.yml" in found.message
        return
    scope = attempt(lambda: read_scope(RolloutChoice((str(file),), None, local=True), {}))
    if isinstance(scope, AdminError):
        return
    for host in scope.hosts:
        for maker, given_values in host.makers:
            attempt(functools.partial(maker.make, host.host, given_values, BASE))


def test_the_package_s_own_playbooks_are_read() -> None:
    names = sorted(path.name for path in playbooks_directory().glob("*.yml"))
    random.Random(1).shuffle(names)
    assert all(read_playbook_file(playbooks_directory() / name, {}).title for name in names)

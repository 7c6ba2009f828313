"""From playbook, inventory and facts to wishes: pure, typed, tagged, and secret where they must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.provisioning.rollout_choice import RolloutChoice, Scope, read_scope
from omeroadmin.provisioning.wishes import HostWork

BASE = {"family": "debian", "systemd": False}
HOSTS = """\
variables: {release: 5.6.10, token: !env TOKEN}
groups:
  web: {hosts: [web1, web2], variables: {threads: "4", names: [a, b]}}
  database: {hosts: db1}
hosts:
  web1: {address: 10.0.0.1, variables: {threads: 8}}
  web2:
  db1: {address: 10.0.0.9}
"""
HEAD = """\
playbook: web
title: T
hosts: web
variables:
  threads: {type: integer, default: 2, description: D.}
  names: {type: list, description: D.}
  release: {description: D.}
  token: {description: D.}
  password: {description: D., secret: true, default: hidden password}
  memory: {type: size, default: 2G, description: D.}
  database: {type: map, default: "{{ hosts.database[0] }}", description: D.}
  both: {default: "{{ release }}-{{ threads }}", description: D.}
stages:
  - stage: s
    operations:
"""


def scope(tmp_path: Path, operations: str, head: str = HEAD, **choice: Any) -> Scope:
    (tmp_path / "hosts.yml").write_text(HOSTS)
    (tmp_path / "web.yml").write_text(head + operations)
    return read_scope(
        RolloutChoice((str(tmp_path / "web.yml"),), tmp_path / "hosts.yml", **choice), {"TOKEN": "swordfish"}
    )


def work(found: Scope, host: str = "web1") -> HostWork:
    rollout = next(one for one in found.hosts if one.name == host)
    ((maker, given),) = rollout.makers
    return maker.make(rollout.host, given, BASE)


def fields(found: HostWork, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(wish[name] for name in names) for wish in found.wishes]


def test_values_come_from_everywhere_with_their_types(tmp_path: Path) -> None:
    (tmp_path / "more.yml").write_text("memory: 512M\n")
    found = scope(
        tmp_path,
        '      - file: {path: /a, content: "{{ threads + 1 }} {{ both }} {{ memory }} {{ database.address }}"}\n',
        variables=tmp_path / "more.yml",
        settings=("release=5.10",),
    )
    assert fields(work(found), "content") == [("9 5.10-8 536870912 10.0.0.9",)]
    assert fields(work(found, "web2"), "content") == [("5 5.10-4 536870912 10.0.0.9",)]


def test_making_wishes_twice_gives_the_same(tmp_path: Path) -> None:
    found = scope(tmp_path, '      - file: {path: "/{{ item }}", content: x}\n        for_each: names\n')
    assert work(found) == work(found)
    assert fields(work(found), "key", "path") == [("web/s/1/1", "/a"), ("web/s/1/2", "/b")]


def test_conditions_of_stages_operations_and_items(tmp_path: Path) -> None:
    text = '      - {file: {path: "/{{ item }}", content: x}, for_each: names, when: item != "a"}\n'
    text += "      - {file: {path: /c, content: x}, when: [base.systemd, base.nonsense.more]}\n"
    text += "  - {stage: never, when: base.family == 'redhat', operations: [{directory: /d, when: base.no.more}]}\n"
    assert fields(work(scope(tmp_path, text)), "path") == [("/b",)]


def test_secrets_make_files_secret(tmp_path: Path) -> None:
    (tmp_path / "t.j2").write_text("<{{ token }}>")
    text = '      - file: {path: /a, content: "{{ token }}"}\n      - file: {path: /b, content: "x {{ password }}"}\n'
    text += '      - file: {path: /c, template: t.j2}\n      - file: {path: /d, content: "{{ release }}"}\n'
    text += "      - file: {path: /e, source: t.j2}\n"
    found = work(scope(tmp_path, text))
    assert fields(found, "path", "secret") == [("/a", True), ("/b", True), ("/c", True), ("/d", False), ("/e", False)]
    assert fields(found, "content")[2:] == [("<swordfish>",), ("5.6.10",), ("<{{ token }}>",)]
    assert {"swordfish", "hidden password"} <= found.secrets
    assert "swordfish" not in repr(found)
    assert {name for (name,) in fields(found, "template")} == {""}


def test_tags_choose_and_triggered_operations_stay(tmp_path: Path) -> None:
    text = "      - {directory: /a, tags: one, triggers: z}\n      - {directory: /b, tags: [two, three]}\n"
    text += "      - {directory: /c}\n      - {directory: /z, id: z, tags: four}\n"

    def chosen(**choice: Any) -> list[Any]:
        return [wish["path"] for wish in work(scope(tmp_path, text, **choice)).wishes]

    assert chosen() == ["/a", "/b", "/c", "/z"]
    assert chosen(tags=("one",)) == ["/a", "/z"]
    assert chosen(tags=("one", "three")) == ["/a", "/b", "/z"]
    assert chosen(skipped=("three", "four")) == ["/a", "/c"]
    assert chosen(tags=("two",), skipped=("three",)) == ["/z"]
    with pytest.raises(AdminError) as caught:
        chosen(tags=("fuor",))
    assert (caught.value.code, caught.value.hint) == ("tag-unknown", "did you mean four?")


def test_triggers_have_the_name_of_their_playbook(tmp_path: Path) -> None:
    text = "      - {directory: /a, triggers: z}\n      - {directory: /z, id: z}\n"
    found = fields(work(scope(tmp_path, text)), "id", "triggers", "only_triggered")
    assert found == [("", ["web/z"], False), ("web/z", [], True)]


@pytest.mark.parametrize(
    ("operation", "code", "said"),
    [
        ('file: {path: "{{ release }}", content: x}', "value-invalid", "web.yml:16: file.path ({{ release }}) gives"),
        ('file: {path: /a, content: "{{ item }}"}', "variable-unknown", "web.yml:16: '{{ item }}'"),
        ('file: {path: /a, content: "{{ TOKEN }}"}', "variable-unknown", "'TOKEN' is not declared"),
        ("file: {path: /a, template: gone.j2}", "template-missing", "web.yml:16: there is no file gone.j2"),
        ('file: {path: /a, content: x, secret: "{{ token }}"}', "value-invalid", "true or false"),
        ('command: {arguments: [echo, "x{{ token }}x"]}', "secret-in-the-open", "16: command.arguments holds a secret"),
        ('command: {arguments: [a], unless: [b, "{{ password }}"]}', "secret-in-the-open", "command.unless holds"),
        ("{file: {path: /a}, for_each: release}", "value-invalid", "web.yml:16: for_each takes"),
    ],
)  # fmt: skip
def test_what_is_wrong_for_a_host(tmp_path: Path, operation: str, code: str, said: str) -> None:
    with pytest.raises(AdminError) as caught:
        work(scope(tmp_path, f"      - {operation}\n"))
    assert caught.value.code == code
    assert said in caught.value.message
    assert "swordfish" not in caught.value.message


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("{directory: /a, when: false and nonsense}", "16: 'false and nonsense': 'nonsense' is not declared"),
        ("{directory: /a, when: base.systemd and}", "16: 'base.systemd and': "),
        ('{directory: /a, for_each: ["{{ nam }}"]}', "16: '{{ nam }}': 'nam' is not declared"),
        ('{directory: /a, name: "{{ item }}"}', "16: '{{ item }}': 'item' is not declared"),
        ("file: {path: /a, template: t.j2}", "16: t.j2:2: 'treads' is not declared"),
        ("file: {path: /a, source: gone}", "16: there is no file gone"),
    ],
)
def test_what_no_host_could_make_sense_of_is_said_before_any_is_asked(
    tmp_path: Path, operation: str, said: str
) -> None:
    (tmp_path / "t.j2").write_text("{% for one in names %}{{ loop.index }}{{ one }}{% endfor %}\n{{ treads }}\n")
    with pytest.raises(AdminError) as caught:
        scope(tmp_path, f"      - {operation}\n")
    assert said in caught.value.message


def test_defaults_use_what_stands_above_them(tmp_path: Path) -> None:
    head = HEAD.replace("{description: D.}", '{default: "{{ both }}", description: D.}', 1)
    with pytest.raises(AdminError, match="'both' is not declared"):
        scope(tmp_path, "      - directory: /a\n", head)


def test_requirements(tmp_path: Path) -> None:
    head = HEAD.replace("stages:", 'requires:\n  - {that: base.family == "redhat", message: only on Rocky}\nstages:')
    with pytest.raises(AdminError, match="only on Rocky") as caught:
        work(scope(tmp_path, "      - directory: /a\n", head))
    assert caught.value.code == "host-requirement"


@pytest.mark.parametrize(
    ("choice", "code", "said"),
    [
        ({"settings": ("thread=1",)}, "variable-unknown", "no playbook has a variable 'thread'"),
        ({"settings": ("threads",)}, "setting-invalid", "not NAME=VALUE"),
        ({"settings": ("threads=x",)}, "value-invalid", "--set threads:1: threads is 'x'"),
        ({"settings": ("password=x",)}, "secret-in-the-open", "everybody could read"),
        ({"limit": "db1"}, "hosts-none", "--limit 'db1' leaves none"),
        ({"limit": "web3"}, "host-unknown", "web3"),
        ({"local": True}, "local-ambiguous", "several hosts"),
    ],
)
def test_what_is_wrong_with_a_choice(tmp_path: Path, choice: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(AdminError) as caught:
        scope(tmp_path, "      - directory: /a\n", **choice)
    assert caught.value.code == code
    assert said in caught.value.message


def test_limits_leave_hosts_in_the_order_of_the_file(tmp_path: Path) -> None:
    for limit, left in (("", ["web1", "web2"]), ("web,!web1", ["web2"]), ("web2,web1", ["web1", "web2"])):
        assert [host.name for host in scope(tmp_path, "      - directory: /a\n", limit=limit).hosts] == left


def test_required_values_are_asked_for_before_anybody_is_connected_to(tmp_path: Path) -> None:
    head = HEAD.replace("  both:", "  owner: {description: Who., required: true}\n  both:")
    with pytest.raises(AdminError) as caught:
        scope(tmp_path, "      - directory: /a\n", head)
    assert caught.value.code == "variable-missing"
    assert "web1: the playbook web needs a value for owner: Who." in caught.value.message
    assert scope(tmp_path, "      - directory: /a\n", head, settings=("owner=me",)).hosts


def test_this_machine_alone_plays_every_group(tmp_path: Path) -> None:
    text = '      - file: {path: /a, content: "{{ hosts.web[0].name }} {{ host }}"}\n'
    (tmp_path / "web.yml").write_text(HEAD.replace("hosts.database[0]", "hosts.web[0]") + text)
    found = read_scope(RolloutChoice((str(tmp_path / "web.yml"),), None, local=True), {})
    about = {"name": "localhost", "address": "127.0.0.1", "groups": ["web"]}
    assert fields(work(found, "localhost"), "content") == [(f"localhost {about}",)]

"""Playbooks: what is read from them, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.provisioning.playbook import Playbook
from omeroadmin.provisioning.playbook_reader import find_playbook, read_playbook_file, read_playbooks

HEAD = "playbook: web\ntitle: The web host\nhosts: web\n"
GOOD = """\
variables:
  port: {type: port, default: 4080, description: Where it listens.}
  password: {description: Of the database., secret: true, required: true}
stages:
  - stage: files
    tags: [files]
    when: base.family == "debian"
    on_failure: undo
    operations:
      - name: Greeting
        file: {path: /etc/motd, content: "{{ host.name }}", mode: 0644}
        tags: greeting
        when: [port > 1024, base.systemd]
        triggers: again
      - directory: /OMERO
        for_each: [1, 2]
  - stage: after
    operations:
      - id: again
        file: {path: /etc/issue, content: 5.10}
"""


def read(tmp_path: Path, text: str) -> Playbook:
    path = tmp_path / "web.yml"
    path.write_text(text)
    found = read_playbook_file(path, {"TOKEN": "swordfish"})
    assert isinstance(found, Playbook)
    return found


def test_what_a_playbook_says(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + GOOD)
    assert (found.name, found.hosts, found.serial) == ("web", "web", 0)
    assert found.tags == {"files", "greeting"}
    assert found.variables["password"].secret
    assert found.variables["password"].required
    files, after = found.stages
    assert (files.undo, after.undo) == (True, False)
    greeting, directory = files.entries
    assert greeting.constants["mode"] == "0644"
    assert list(greeting.dynamic) == ["content"]
    assert [condition.text for condition in greeting.conditions] == ["port > 1024", "base.systemd"]
    assert greeting.triggers == ("again",)
    assert directory.constants["path"] == "/OMERO"
    assert after.entries[0].identifier == "again"
    assert after.entries[0].constants["content"] == "5.10"
    assert after.entries[0].origin.endswith("web.yml:23")


STAGE = "stages:\n  - stage: s\n    operations:\n"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("", "key-missing", "web.yml:1: the file has no 'stages'"),
        (STAGE + "      - fiel: {path: /a}\n", "operation-unknown", "web.yml:7: 'fiel' is no operation"),
        (STAGE + "      - name: only words\n", "operation-missing", "web.yml:7: the entry is no operation"),
        (STAGE + "      - {file: {path: /a}, directory: /b}\n", "operation-missing", "two operations"),
        (STAGE + "      - file: {path: /a, contents: x}\n", "key-unknown", "7: 'contents' is not a key in file"),
        (STAGE + "      - file: {content: x}\n", "key-missing", "web.yml:7: file has no 'path'"),
        (STAGE + "      - file: {path: a/b}\n", "value-invalid", "file.path is 'a/b', but takes an absolute path"),
        (STAGE + "      - file: {path: /a/../b}\n", "value-invalid", "without .."),
        (STAGE + "      - file: {path: /a, mode: rw}\n", "value-invalid", "permission bits such as 0644"),
        (STAGE + "      - file: {path: /a, secret: perhaps}\n", "value-invalid", "true or false"),
        (STAGE + "      - file: {path: /a, state: gone}\n", "value-invalid", "present or absent"),
        (STAGE + "      - file: /a\n", "value-invalid", "web.yml:7: file is '/a', but takes a map"),
        (STAGE + "      - file: {path: /a, content: x, source: y}\n", "value-invalid", "exclude one another"),
        (STAGE + "      - {file: {path: /a}, triggers: b}\n", "trigger-unknown", "7: no operation has the id 'b'"),
        (STAGE + "      - {file: {path: /a}, id: b}\n", "trigger-unused", "nothing triggers b"),
        (
            STAGE + "      - {directory: /b, id: b}\n      - {file: {path: /a}, triggers: b}\n",
            "trigger-above", "web.yml:8: b stands above what triggers it",
        ),
        (STAGE + "      - {directory: /b, id: b, for_each: [1]}\n", "value-invalid", "with an id is done once"),
        (
            STAGE + "      - directory: /b\n  - stage: s\n    operations: [{directory: /c}]\n",
            "name-twice", "8: the stage s",
        ),
        ("stages: []\n", "value-invalid", "fewer than 1"),
        ("variables: {item: {description: D.}}\n" + STAGE, "value-invalid", "web.yml:4: 'item' in variables"),
        ("variables: {a: {description: D., type: txt}}\n" + STAGE, "value-invalid", "4: variables.a.type is 'txt'"),
        (
            "variables: {a: {description: D., type: port, default: 0}}\n" + STAGE + "      - directory: /b\n",
            "value-invalid", "web.yml:4: a is '0', but takes a port number",
        ),
        (
            "variables: {a: {description: D., required: true, default: b}}\n" + STAGE + "      - directory: /b\n",
            "default-useless", "a is required",
        ),
        ("variables: {a: {type: text}}\n" + GOOD.split("\n", 3)[3], "key-missing", "a has no description"),
        ("serial: none\n" + STAGE, "value-invalid", "serial is 'none'"),
        ("requires: [{that: base.systemd}]\n" + STAGE, "key-missing", "'message'"),
        ("tags: a\n" + STAGE, "key-unknown", "web.yml:4: 'tags' is not a key"),
    ],
)  # fmt: skip
def test_what_is_wrong(tmp_path: Path, text: str, code: str, said: str) -> None:
    with pytest.raises(AdminError) as caught:
        read(tmp_path, HEAD + text)
    assert caught.value.code == code
    assert said in caught.value.message


def test_nearest_names_are_hinted_at(tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        read(tmp_path, HEAD + STAGE + "      - fiel: {path: /a}\n")
    assert caught.value.hint == "did you mean file?"


def test_values_from_elsewhere_are_secrets_and_no_templates(tmp_path: Path) -> None:
    (tmp_path / "odd").write_text("{{ 1 }}")
    found = read(tmp_path, HEAD + STAGE + "      - file: {path: /a, content: !file odd}\n")
    assert found.stages[0].entries[0].constants["content"] == "{{ 1 }}"
    assert found.secrets == {"{{ 1 }}"}


def test_lists_of_playbooks(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text(HEAD + STAGE + "      - directory: /b\n")
    (tmp_path / "db.yml").write_text((HEAD + STAGE + "      - directory: /b\n").replace("web", "db"))
    site = tmp_path / "site.yml"
    site.write_text("playbook: site\ntitle: All\nplaybooks: [db.yml, web.yml]\n")
    assert [book.name for book in read_playbooks(site, {})] == ["db", "web"]
    for text, code in (
        ("[db.yml, db.yml]", "playbook-twice"),
        ("[site.yml]", "playbooks-in-circles"),
        ("[gone.yml]", "playbook-missing"),
        ("[]", "value-invalid"),
    ):
        site.write_text(f"playbook: site\ntitle: All\nplaybooks: {text}\n")
        with pytest.raises(AdminError) as caught:
            read_playbooks(site, {})
        assert caught.value.code == code


def test_a_playbook_is_found_here_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AdminError) as caught:
        find_playbook("no-such.yml")
    assert caught.value.code == "playbook-missing"
    (tmp_path / "site.yml").write_text("")
    assert find_playbook("site.yml") == Path("site.yml")


SAME = "  port: {same_as: other.yml}\n"


def test_variables_that_another_playbook_declares(tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text(HEAD + GOOD)
    found = read(tmp_path, HEAD + GOOD.replace("  port: {type: port", SAME + "  other: {type: port"))
    assert list(found.variables) == ["port", "other", "password"]
    assert found.variables["port"].type == "port"
    assert found.variables["port"].origin == f"{tmp_path / 'other.yml'}:5"


@pytest.mark.parametrize(
    ("other", "mine", "code"),
    [
        ("  port: {description: x}\n", "  prot: {same_as: other.yml}\n", "variable-unknown"),
        ("  port: {description: x}\n", "  port: {same_as: other.yml, default: 1}\n", "key-unknown"),
        ("  port: {description: x}\n", "  port: {same_as: nowhere.yml}\n", "playbook-missing"),
        ("  port: {description: x}\n", "  port: {type: port}\n", "key-missing"),
        ("  port: {type: prot, description: x}\n", SAME, "value-invalid"),
        ("  port: {same_as: web.yml}\n", SAME, "variables-in-circles"),
        ("  port: {same_as: other.yml}\n", SAME, "variables-in-circles"),
    ],
)
def test_variables_that_nobody_declares(tmp_path: Path, other: str, mine: str, code: str) -> None:
    (tmp_path / "other.yml").write_text("variables:\n" + other)
    with pytest.raises(AdminError) as caught:
        read(tmp_path, HEAD + "variables:\n" + mine + "stages:" + GOOD.split("stages:")[1])
    assert caught.value.code == code
    assert "yml" in caught.value.message

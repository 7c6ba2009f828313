"""`omero hosts list`, `graph` and `check` as processes: what they print, their statuses, and no secret anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.omero import Omero

SITE = """\
defaults: {user: admin, become: sudo, sudo_password: !file sudo}
variables: {release: 5.6.10, token: !env TOKEN, mixed: [1.10, {a: !env TOKEN}]}
groups:
  web: {hosts: [web1, web2]}
  site: {groups: [web, servers]}
  servers: {hosts: omero1, variables: {big: true}}
  also: {groups: web}
hosts:
  gateway: {address: 192.0.2.1, port: 2222}
  omero1: {address: 10.0.0.5, jump: gateway}
  web1:
  web2: {user: root, become: none}
"""
SECRETS = ("swordfish", "open sesame", "hunter22")


@pytest.fixture
def omero(tmp_path: Path) -> Omero:
    (tmp_path / "hosts.yml").write_text(SITE)
    (tmp_path / "hosts.yml").chmod(0o644)
    (tmp_path / "sudo").write_text("swordfish\n")
    (tmp_path / "sudo").chmod(0o600)
    extra = {"OMERODIR": "", "OMERO_HOSTS": str(tmp_path / "hosts.yml"), "TOKEN": "open sesame"}
    return Omero(tmp_path, extra=extra)


def said(omero: Omero, *arguments: str, status: int = 0) -> str:
    """What a command prints, without a secret in it."""
    done = omero.run("hosts", *arguments)
    both = done.stdout + done.stderr
    assert done.returncode == status, both
    assert not any(secret in both for secret in SECRETS)
    assert len(done.stderr.splitlines()) <= 2, done.stderr
    return both if status else done.stdout


def test_list(omero: Omero) -> None:
    lines = said(omero, "list").splitlines()
    assert lines[0].split(" | ")[0].strip() == "host"
    assert [line.split("|")[0].strip() for line in lines[2:]] == ["gateway", "omero1", "web1", "web2", "(4 rows)"]
    assert said(omero, "list", "--style", "csv", "--limit", "site,!web*").splitlines() == [
        "host,address,port,user,groups,jump,become",
        'omero1,10.0.0.5,,admin,"site,servers",gateway,sudo',
    ]


def test_variables(omero: Omero) -> None:
    place = omero.extra["OMERO_HOSTS"]
    assert said(omero, "list", "--variables", "-l", "omero1").splitlines() == [
        "omero1:",
        f"  big = true  ({place}:6)",
        f'  mixed = [1.10, {{"a": "********"}}]  ({place}:2)',
        f'  release = "5.6.10"  ({place}:2)',
        f'  token = "********"  ({place}:2)',
    ]


def test_documents(omero: Omero) -> None:
    document = json.loads(said(omero, "list", "--json", "--limit", "web2,omero1"))
    omero1, web2 = document["hosts"]
    assert (document["schema"], omero1["way"], web2["way"]) == ("omeroadmin/hosts/1", ["gateway"], None)
    assert (omero1["groups"], web2["become"]) == (["site", "servers"], "none")
    assert omero1["variables"] == {
        "release": "5.6.10", "token": "********", "mixed": [1.1, {"a": "********"}], "big": True,
    }  # fmt: skip
    graph = json.loads(said(omero, "graph", "--json"))
    assert graph["ungrouped"] == ["gateway"]
    assert {group["name"]: group["members"] for group in graph["groups"]}["site"] == ["omero1", "web1", "web2"]
    assert json.loads(said(omero, "check", "--json"))["counts"] == {"error": 0, "warning": 0}


def test_quiet_leaves_the_result(omero: Omero) -> None:
    for words in (("list",), ("graph",), ("list", "--json")):
        assert said(omero, *words, "--quiet") == said(omero, *words)
    assert said(omero, "check", "-q") == ""


def test_graph(omero: Omero) -> None:
    assert said(omero, "graph") == (
        "all:\n  site:\n    web:\n      web1\n      web2\n    servers:\n      omero1\n"
        "  also:\n    web: (see above)\n  gateway\n"
    )


def test_without_the_secrets_only_check_complains(omero: Omero, tmp_path: Path) -> None:
    (tmp_path / "sudo").unlink()
    omero.extra.pop("TOKEN")
    said(omero, "list", "--variables")
    said(omero, "graph")
    found = said(omero, "check", status=1)
    assert f"ERROR file-not-read: {tmp_path}/hosts.yml:1: " in found
    assert f"ERROR variable-unset: {tmp_path}/hosts.yml:2: the variable 'TOKEN' is not set" in found


def test_check_finds_all_in_one_go(omero: Omero, tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(
        SITE
        + "  web3: {address: web1, key: [gone, sudo]}\n  web4: {key: open key}\n".replace(
            "open key", "'open key'"
        ).replace("site: {", "site: {variables: {short: !file short}, ")
    )
    (tmp_path / "hosts.yml").chmod(0o666)
    (tmp_path / "sudo").chmod(0o640)
    (tmp_path / "open key").write_text("KEY")
    (tmp_path / "open key").chmod(0o604)
    report = json.loads(said(omero, "check", "--json", status=1).partition("\nomero")[0])
    assert [(finding["severity"], finding["code"]) for finding in report["findings"]] == [
        ("error", "inventory-writable"), ("error", "key-file-missing"), ("error", "key-file-open"),
        ("error", "key-file-open"), ("warning", "secret-file-open"), ("warning", "host-without-group"),
        ("warning", "host-without-group"), ("warning", "address-twice"),
    ]  # fmt: skip
    assert (report["host_count"], report["group_count"]) == (6, 4)
    assert f"chmod 600 '{tmp_path}/open key'" in [finding["hint"] for finding in report["findings"]]


def test_warnings_count_when_that_is_wished(omero: Omero, tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(
        SITE.replace("\nhosts:", "\n  empty: {variables: {a: !env SHORT, pass: hunter22, b: !env EMPTY}}\nhosts:")
    )
    omero.extra |= {"SHORT": "abc", "EMPTY": ""}
    found = said(omero, "check")
    assert [line.split(":")[0] for line in found.splitlines() if line.startswith("WARNING")] == [
        "WARNING secret-empty", "WARNING secret-short", "WARNING secret-in-the-open", "WARNING group-without-hosts",
    ]  # fmt: skip
    assert found.splitlines()[-1] == f"4 warnings: {tmp_path}/hosts.yml, 4 hosts in 5 groups"
    assert said(omero, "check", "--strict", status=1) == found
    assert said(omero, "check", "--quiet").splitlines() == found.splitlines()[:-1]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hosts: [}", "yaml-invalid"),
        ("hosts: {a: {adress: b}}", "key-unknown"),
        ("hosts: {a: {sudo_password: swordfish}}", "secret-in-the-open"),
        ("hosts: {a: {jump: a}}", "jumps-in-circles"),
        ("hosts: {a: {port: !env TOKEN}}", "value-invalid"),
        ("groups: {g: {groups: g}}\nhosts: {a: }", "groups-in-circles"),
    ],
)
def test_a_wrong_file_is_one_line_for_list_and_a_finding_for_check(
    text: str, code: str, omero: Omero, tmp_path: Path
) -> None:
    (tmp_path / "hosts.yml").write_text(text)
    done = omero.run("hosts", "list")
    assert done.returncode in (2, 3)
    assert done.stdout == ""
    assert done.stderr.startswith(f"omero: {tmp_path}/hosts.yml:1: ")
    assert f"ERROR {code}: {tmp_path}/hosts.yml:1: " in said(omero, "check", status=1)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("list", "--limit", "wbe"), 2, "did you mean web?"),
        (("list", "--limit", "web1,!web"), 2, "leaves no host"),
        (("list", "--limit", "web,,"), 2, "a name is missing"),
        (("list", "--style", "xml"), 2, "xml"),
        (("list", "-i", "nowhere.yml"), 3, "there is no inventory nowhere.yml"),
        (("check", "-i", "nowhere.yml"), 3, "OMERO_HOSTS"),
        (("graph", "-i", "/"), 3, "can't be read"),
        (("graph", "site"), 2, "unexpected"),
    ],
)
def test_bad_input(arguments: tuple[str, ...], status: int, words: str, omero: Omero) -> None:
    assert words in said(omero, *arguments, status=status)

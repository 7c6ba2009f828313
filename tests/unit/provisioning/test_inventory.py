"""The inventory: who is in which group, what a host has from where, and what is wrong with a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.provisioning.inventory import Become, Inventory
from omeroadmin.provisioning.inventory_file import read_inventory
from omeroadmin.provisioning.inventory_secrets import shown
from omeroadmin.schema.catalog import MASK
from omeroadmin.schema.tree import native

SITE = """
defaults: {user: admin, become: sudo, jump: gateway, sudo_password: !env SUDO}
variables: {level: all, release: 5.6.10}
groups:
  web: {hosts: [web2, web1], variables: {level: web, python: 3.10}, connection: {user: www}}
  site: {groups: [web, servers], variables: {level: site, owner: me}}
  servers: {hosts: omero1, variables: {level: servers}}
  new: {hosts: [web1, omero1], variables: {level: new}, connection: {port: 2222}}
  empty:
hosts:
  gateway: {address: 2001:db8::1, jump: none}
  omero1: {address: 10.0.0.5, key: [~/.ssh/id, keys/omero], variables: {level: own}}
  web1:
  web2: {user: root, become: none, timeout: 5}
  alone: {}
"""


def inventory(tmp_path: Path, text: str = SITE, **environment: str) -> Inventory:
    file = tmp_path / "hosts.yml"
    file.write_text(text)
    return read_inventory(file, {"SUDO": "swordfish", **environment})


def test_groups_and_their_hosts(tmp_path: Path) -> None:
    found = inventory(tmp_path)
    assert {group.name: group.members for group in found.groups} == {
        "web": ("web1", "web2"), "site": ("omero1", "web1", "web2"), "servers": ("omero1",),
        "new": ("omero1", "web1"), "empty": (),
    }  # fmt: skip
    assert {host.name: host.groups for host in found.hosts} == {
        "gateway": (), "omero1": ("site", "new", "servers"), "web1": ("site", "new", "web"), "web2": ("site", "web"),
        "alone": (),
    }  # fmt: skip
    assert [host.name for host in found.members("all")] == [host.name for host in found.hosts]


def test_nearer_variables_win(tmp_path: Path) -> None:
    values = {
        host.name: {name: str(native(node)) for name, node in host.variables.items()}
        for host in inventory(tmp_path).hosts
    }
    assert values == {
        "gateway": {"level": "all", "release": "5.6.10"},
        "omero1": {"level": "own", "release": "5.6.10", "owner": "me"},
        "web1": {"level": "web", "release": "5.6.10", "owner": "me", "python": "3.10"},
        "web2": {"level": "web", "release": "5.6.10", "owner": "me", "python": "3.10"},
        "alone": {"level": "all", "release": "5.6.10"},
    }


def test_nearer_connections_win(tmp_path: Path) -> None:
    by_name = inventory(tmp_path).by_name
    gateway, omero1, web1, web2 = (by_name[name].connection for name in ("gateway", "omero1", "web1", "web2"))
    assert (gateway.address, gateway.jump, gateway.user) == ("2001:db8::1", "none", "admin")
    assert (omero1.port, omero1.keys) == (2222, ("~/.ssh/id", str(tmp_path / "keys/omero")))
    assert (web1.address, web1.user, web1.become, web1.port) == ("web1", "www", Become.SUDO, 2222)
    assert (web2.user, web2.become, web2.port, web2.timeout) == ("root", Become.NONE, None, 5)
    assert web1.sudo_password == "swordfish"


def test_ways(tmp_path: Path) -> None:
    text = "hosts: {a: {jump: b}, b: {jump: c}, c: , d: {jump: none}}\ndefaults: {jump: c}\n"
    found = inventory(tmp_path, text)
    ways = {host.name: found.way_to(host) for host in found.hosts}
    assert {name: None if way is None else [step.name for step in way] for name, way in ways.items()} == {
        "a": ["c", "b"], "b": ["c"], "c": None, "d": [],
    }  # fmt: skip


def test_secrets_are_gathered_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("open sesame\n")
    text = SITE.replace("owner: me", "owner: !file token")
    found = inventory(tmp_path, text)
    assert found.secrets == {"swordfish", "open sesame"}
    assert not any(secret in repr(found) for secret in found.secrets)


def test_what_a_name_says_is_secret_is_hidden_too(tmp_path: Path) -> None:
    text = (
        "variables: {db_password: hunter22, set: {omero.db.pass: hunter33, x: y}, no_password: false, pass: ~,\n"
        " secret: [!file token, hunter44]}\nhosts: {a: }"
    )
    (tmp_path / "token").write_text("open sesame")
    found = inventory(tmp_path, text)
    assert found.secrets == {"hunter22", "hunter33", "hunter44", "open sesame"}
    assert {name: shown(node, name) for name, node in found.hosts[0].variables.items()} == {
        "db_password": MASK, "set": {"omero.db.pass": MASK, "x": "y"}, "no_password": False, "pass": None,
        "secret": [MASK, MASK],
    }  # fmt: skip


def test_without_secrets_the_rest_is_known(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    file.write_text("defaults: {sudo_password: !env GONE, port: !env PORT}\nhosts: {a: {address: b}}\n")
    missing: list[AdminError] = []
    connection = read_inventory(file, {}, missing=missing).hosts[0].connection
    assert (connection.address, connection.port, connection.sudo_password) == ("b", None, None)
    assert [error.code for error in missing] == ["variable-unset", "variable-unset"]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "value-invalid", ("the file is nothing, but takes a map",)),
        ("groups: {}", "key-missing", ("'hosts'",)),
        ("hosts: {a: {adress: x}}", "key-unknown", (":1: 'adress' is not a key in hosts.a", "did you mean address?")),
        ("hosts: {a: {address: 'a b'}}", "value-invalid", ("hosts.a.address is 'a b'",)),
        ("hosts: {a: {address: -oProxyCommand=x}}", "value-invalid", ("hosts.a.address",)),
        ("hosts: {-a: }", "value-invalid", ("'-a' in hosts is not a name",)),
        ("hosts: {all: }", "value-invalid", ("'all' in hosts",)),
        ("hosts: {a: {user: -x}}", "value-invalid", ("hosts.a.user",)),
        ("hosts: {a: {python: 'python3; id'}}", "value-invalid", ("hosts.a.python",)),
        ("hosts: {a: {port: 0}}", "value-invalid", ("hosts.a.port is '0'",)),
        ("hosts: {a: {become: su}}", "value-invalid", ("takes none or sudo",)),
        ("hosts: {a: {variables: {item: 1}}}", "value-invalid", ("'item' in hosts.a.variables is not a variable",)),
        ("hosts: {a: {sudo_password: swordfish}}", "secret-in-the-open", (":1: hosts.a.sudo_password", "!file")),
        ("hosts: {web1: }\ngroups: {g: {hosts: [web1,\n web2]}}", "host-unknown", (":3: 'web2'", "did you mean web1?")),
        ("hosts: {a: }\ngroups: {g: {groups: h}}", "group-unknown", (":2: 'h', in the group g",)),
        ("hosts: {a: }\ngroups: {a: }", "name-twice", (":2: 'a' is a host and a group",)),
        ("hosts: {a: {jump: b}}", "host-unknown", (":1: 'b', in the jump of host a",)),
        ("hosts: {a: }\ndefaults: {jump: b}", "host-unknown", (":2: 'b', in the jump of defaults",)),
        ("hosts: {a: }\ngroups:\n  g: {groups: h}\n  h: {groups: [g]}", "groups-in-circles", ("g > h > g",)),
        ("hosts: {a: }\ngroups: {g: {groups: g}}", "groups-in-circles", (":2: ", "g > g")),
        ("hosts: {a: {jump: a}}", "jumps-in-circles", (":1: ", "a > a")),
        ("hosts: {a: {jump: b}, b: {jump: c}, c: {jump: b}}", "jumps-in-circles", (": b > c > b", "jump: none")),
    ],
)
def test_what_is_refused(text: str, code: str, words: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        inventory(tmp_path, text)
    said = f"{caught.value.message} {caught.value.hint}"
    assert caught.value.code == code, said
    assert "swordfish" not in said
    for word in words:
        assert word in said


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        read_inventory(tmp_path / "hosts.yml", {})
    assert caught.value.code == "inventory-missing"


def test_a_long_chain_of_groups_and_jumps(tmp_path: Path) -> None:
    number = 3000
    groups = "".join(f"  g{i}: {{groups: g{i + 1}}}\n" for i in range(number))
    hosts = "".join(f"  h{i}: {{jump: h{i + 1}}}\n" for i in range(number))
    found = inventory(tmp_path, f"groups:\n{groups}  g{number}: {{hosts: h0}}\nhosts:\n{hosts}  h{number}:\n")
    assert len(found.by_name["h0"].groups) == number + 1
    assert len(found.way_to(found.hosts[0]) or ()) == number


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("all", "gateway omero1 web1 web2 alone"), ("web", "web1 web2"), ("web,!web2", "web1"), ("!web2,web", "web1"),
        ("!web", "gateway omero1 alone"), ("web,&new", "web1"), ("&new", "omero1 web1"), ("web*", "web1 web2"),
        ("site,!web*", "omero1"), (" omero1 , ! web ", "omero1"), ("empty", ""), ("w?b1,alone", "web1 alone"),
        ("[ga]*", "gateway alone omero1 web1 web2"), ("s*s,alone", "omero1 alone"),
    ],
)  # fmt: skip
def test_patterns(pattern: str, names: str, tmp_path: Path) -> None:
    assert {host.name for host in inventory(tmp_path).select(pattern)} == set(names.split())


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("", "pattern-invalid"), ("web,", "pattern-invalid"), ("!", "pattern-invalid"), ("wbe", "host-unknown"),
        ("web,!wbe", "host-unknown"), ("x*", "host-unknown"), ("w\neb", "pattern-invalid"), ("!!web", "host-unknown"),
    ],
)  # fmt: skip
def test_patterns_that_are_refused(pattern: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        inventory(tmp_path).select(pattern)
    assert caught.value.code == code

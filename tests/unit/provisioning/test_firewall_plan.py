"""Firewalls: which one is on, what its rules say, and what is asked of it."""

from __future__ import annotations

import pytest

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.firewalls import Firewalld, Port, input_chain, normal_source, ufw_allows
from omeroadmin.provisioning.agent.security import parse_port_types
from tests.support.wishes import planned, planned_words

UFW = """\
*filter
### tuple ### allow any 22 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 22 -j ACCEPT
### tuple ### allow tcp 4064 0.0.0.0/0 any 10.0.0.0/8 in
### tuple ### deny tcp 443 0.0.0.0/0 any 0.0.0.0/0 in
### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 out
"""
CLOSED = """\
table ip nat { chain prerouting { type nat hook prerouting priority 0; } }
table inet filter {
    chain forward { type filter hook forward priority filter; policy drop; }
    chain input {
        type filter hook input priority filter; policy drop; # keeps others out
        tcp dport 22 accept
    }
}
"""


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        (Port(22, "tcp", "", ""), True),
        (Port(22, "udp", "10.0.0.0/8", ""), True),
        (Port(4064, "tcp", "10.0.0.0/8", ""), True),
        (Port(4064, "tcp", "", ""), False),
        (Port(4064, "udp", "10.0.0.0/8", ""), False),
        (Port(443, "tcp", "", ""), False),
        (Port(80, "tcp", "", ""), False),
    ],
)
def test_rules_of_ufw(port: Port, expected: bool) -> None:
    assert ufw_allows(UFW, port) == expected


def test_chain_that_decides_what_comes_in() -> None:
    assert input_chain(CLOSED) == "inet filter input"
    assert input_chain(CLOSED.replace("policy drop;", "")) == ""
    assert input_chain("table filter { chain in { type filter hook input priority 0; } reject }") == "ip filter in"
    assert input_chain("flush ruleset\n") == ""


def test_arguments_of_firewalld() -> None:
    assert Firewalld.command(Port(443, "tcp", "", ""), "query", []) == [
        "firewall-cmd", "--quiet", "--query-port=443/tcp",
    ]  # fmt: skip
    assert Firewalld.command(Port(4064, "tcp", "fd00::/8", "work"), "add", ["--permanent"])[2:] == [
        "--permanent", "--zone=work",
        '--add-rich-rule=rule family="ipv6" source address="fd00::/8" port port="4064" protocol="tcp" accept',
    ]  # fmt: skip


def test_sources_are_addresses_or_networks() -> None:
    assert normal_source("10.0.0.5/32") == "10.0.0.5"
    assert normal_source("fd00::/8") == "fd00::/8"
    for wrong in ("10.0.0.5/8", "office", '10.0.0.0/8" accept'):
        with pytest.raises(HostError) as caught:
            normal_source(wrong)
        assert caught.value.code == "host-network-invalid"


def test_plan_of_ports() -> None:
    assert planned("firewall-port", {"firewall": "none", "open": True}, port=443) == []
    assert planned("firewall-port", {"firewall": "none", "open": True}, port=443, state="closed") == []
    assert planned("firewall-port", {"firewall": "ufw", "open": True}, port=443) == []
    assert planned("firewall-port", {"firewall": "ufw", "open": True}, port=443, state="closed") == ["close"]
    assert planned_words("firewall-port", {"firewall": "firewalld", "open": False}, port=4064, source="10.0.0.0/8") == [
        "open port 4064/tcp to 10.0.0.0/8 in firewalld"
    ]


def test_plan_of_selinux() -> None:
    name = {"boolean": "httpd_can_network_connect"}
    assert planned("selinux", {"on": False}, **name) == []
    assert planned("selinux", {"on": True, "now": True, "later": True}, **name) == []
    for now, later in ((False, False), (True, False), (False, True), (True, None), (None, None)):
        assert planned("selinux", {"on": True, "now": now, "later": later}, **name) == ["boolean"]
    port = {"port": 4080, "type": "http_port_t"}
    assert planned("selinux", {"on": True, "types": ["http_port_t"]}, **port) == []
    assert planned("selinux", {"on": True, "types": []}, **port) == ["port"]


def test_types_of_ports_are_read_from_the_listing() -> None:
    listing = "http_port_t            tcp      4080, 80, 81, 443\nunreserved_port_t      tcp      1024-32767\n"
    assert parse_port_types(listing, 4080, "tcp") == ["http_port_t"]
    assert parse_port_types(listing, 4080, "udp") == []
    assert parse_port_types(listing, 4064, "tcp") == []

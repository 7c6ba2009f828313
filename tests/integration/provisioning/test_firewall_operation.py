"""Ports of a ruleset of nftables, in a network of the test's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.agents import Worker, worker, worker_apart
from tests.support.components import require_program
from tests.support.testhosts import running_hosts

RULES = """\
flush ruleset
table inet filter {
    chain input {
        type filter hook input priority filter; policy drop;
        ct state established accept
        reject
    }
}
"""


def in_force(host: Worker) -> str:
    output: str = host.session.run(["nft", "list", "ruleset"], 30)["output"]
    return output


@pytest.mark.root
def test_port_is_open_now_and_after_the_next_start(tmp_path: Path) -> None:
    require_program("nft")
    with worker_apart(tmp_path / "host", ["unshare", "--net"]) as host:
        rules = tmp_path / "host" / "etc" / "nftables.conf"
        rules.write_text("flush ruleset\n")
        assert host.apply(host.wish("firewall-port", port=443)) == []
        rules.write_text(RULES)
        host.session.run(["nft", "-f", "/etc/nftables.conf"], 30)
        wishes = [host.wish("firewall-port", port=443), host.wish("firewall-port", port=4064, source="10.0.0.0/8")]
        assert host.apply(*wishes) == [
            "open port 443/tcp in nftables", "open port 4064/tcp to 10.0.0.0/8 in nftables",
        ]  # fmt: skip
        opened = in_force(host)
        assert opened.index("ip saddr 10.0.0.0/8 tcp dport 4064 accept") < opened.index("reject")
        assert opened.count("dport") == 2
        host.session.run(["nft", "-f", "/etc/nftables.conf"], 30)
        assert in_force(host).count("dport") == 2
        assert host.apply(*wishes) == []
        assert host.apply({**wishes[1], "state": "closed"}) == ["close port 4064/tcp to 10.0.0.0/8 in nftables"]
        assert "4064" not in in_force(host)
        host.undo()
        assert "4064" in in_force(host)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes namespaces")
def test_ports_of_ufw_come_and_go(tmp_path: Path) -> None:
    with running_hosts(tmp_path, ["plain"]) as site, worker(site["plain"].inside, "python3") as agent:
        agent.apply(agent.wish("package", names=["ufw"]))
        wishes = [
            agent.wish("firewall-port", port=443),
            agent.wish("firewall-port", port=4064, source="10.0.0.0/8"),
            agent.wish("firewall-port", port=53, protocol="udp", source="fd00::/8"),
        ]
        assert agent.apply(*wishes) == []
        site["plain"].run("ufw", "allow", "ssh")
        site["plain"].run("ufw", "--force", "enable")
        assert [words.rpartition(" in ")[0] for words in agent.apply(*wishes)] == [
            "open port 443/tcp", "open port 4064/tcp to 10.0.0.0/8", "open port 53/udp to fd00::/8",
        ]  # fmt: skip
        opened = site["plain"].run("iptables", "-S", "ufw-user-input").stdout
        assert "-s 10.0.0.0/8 -p tcp -m tcp --dport 4064 -j ACCEPT" in opened
        agent.undo()
        assert "4064" not in site["plain"].run("iptables", "-S", "ufw-user-input").stdout
        agent.apply(*wishes)
        assert agent.apply(*wishes) == []

"""The firewall of a host: firewalld, ufw or a ruleset of nftables, whichever is on."""

from __future__ import annotations

import os
import re
from typing import NamedTuple, Protocol

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.files import read_whole, write_whole
from omeroadmin.provisioning.agent.running import check, find_program, run
from omeroadmin.provisioning.agent.services import service_facts

_NFT_RULES = "/etc/nftables.conf"
_NFT_OURS = "/etc/nftables.d/omeroadmin.nft"
_NFT_INCLUDE = f'include "{_NFT_OURS}"'


class Port(NamedTuple):
    """A port that others may reach.

    :param source: network or address that may; empty: any
    :param zone: zone of firewalld; empty: its default
    """

    number: int
    protocol: str
    source: str
    zone: str

    @property
    def family(self) -> str:
        """IP version of the source."""
        return "ipv6" if ":" in self.source else "ipv4"


class Firewall(Protocol):
    """What a firewall can do with a port."""

    name: str

    def is_open(self, port: Port) -> bool:
        """Whether it lets the port through, now and after the next start."""
        ...

    def set_open(self, port: Port, is_open: bool) -> None:
        """Let a port through, or not any more, now and after the next start.

        :raises HostError: ``host-program-failed``
        """
        ...


def active_firewall() -> "Firewall | None":
    """The firewall that is on; ``None`` where nothing hinders anybody."""
    if find_program("firewall-cmd") and service_facts("firewalld").active:
        return Firewalld()
    if find_program("ufw") and re.search(rb"(?mi)^ENABLED=yes", read_whole("/etc/ufw/ufw.conf") or b""):
        return Ufw()
    chain = input_chain((read_whole(_NFT_RULES) or b"").decode(errors="replace"))
    if find_program("nft") and chain:
        return Nftables(chain)
    return None


class Firewalld:
    """firewalld: each change is made twice, in what runs and in what stays."""

    name = "firewalld"

    def is_open(self, port: Port) -> bool:
        """Whether both know the port."""
        return all(run(self.command(port, "query", scope)).status == 0 for scope in ([], ["--permanent"]))

    def set_open(self, port: Port, is_open: bool) -> None:
        """Change both, what stays first."""
        for scope in (["--permanent"], []):
            check(self.command(port, "add" if is_open else "remove", scope), f"change port {port.number} of firewalld")

    @staticmethod
    def command(port: Port, verb: str, scope: "list[str]") -> "list[str]":
        """Arguments of firewall-cmd."""
        zone = [f"--zone={port.zone}"] if port.zone else []
        what = f"--{verb}-port={port.number}/{port.protocol}"
        if port.source:
            rule = f'rule family="{port.family}" source address="{port.source}" '
            rule += f'port port="{port.number}" protocol="{port.protocol}" accept'
            what = f"--{verb}-rich-rule={rule}"
        return ["firewall-cmd", "--quiet", *scope, *zone, what]


class Ufw:
    """ufw, whose rules are in files."""

    name = "ufw"

    def is_open(self, port: Port) -> bool:
        """Whether its rules allow the port."""
        version = "6" if port.family == "ipv6" else ""
        rules = (read_whole(f"/etc/ufw/user{version}.rules") or b"").decode(errors="replace")
        return ufw_allows(rules, port)

    def set_open(self, port: Port, is_open: bool) -> None:
        """Add or delete a rule."""
        verb = [] if is_open else ["--force", "delete"]
        rule = ["allow", "proto", port.protocol, "from", port.source or "any"]
        command = ["ufw", *verb, *rule, "to", "any", "port", str(port.number)]
        check(command, f"change port {port.number} of ufw")


def ufw_allows(rules: str, port: Port) -> bool:
    """Whether rules of ufw allow a port to its source.

    :param rules: content of ``user.rules``
    """
    anywhere = "::/0" if port.family == "ipv6" else "0.0.0.0/0"
    for line in rules.splitlines():
        words = line.split()
        # ### tuple ### ACTION PROTOCOL PORT TO PORT FROM DIRECTION
        if words[:3] != ["###", "tuple", "###"] or len(words) < 10 or words[3] != "allow" or words[9] != "in":
            continue
        sources = {anywhere, port.source} if port.source else {anywhere}
        same = words[4] in {port.protocol, "any"} and words[5] == str(port.number) and words[6] == anywhere
        if same and words[8] in sources:
            return True
    return False


def input_chain(rules: str) -> str:
    """Family, table and name of the chain that decides what comes in; empty where none keeps anything out.

    :param rules: content of ``nftables.conf``
    """
    text = re.sub(r"#.*", "", rules)
    hook = re.search(r"hook\s+input\b", text)
    if hook is None or not re.search(r"policy\s+drop|\b(?:drop|reject)\b", text):
        return ""
    tables = re.findall(r"\btable\s+(?:(ip|ip6|inet)\s+)?([\w-]+)\s*\{", text[: hook.start()])
    chains = re.findall(r"\bchain\s+([\w-]+)\s*\{", text[: hook.start()])
    if not tables or not chains:
        return ""
    family, table = tables[-1]
    return f"{family or 'ip'} {table} {chains[-1]}"


class Nftables:
    """A ruleset of nftables: a file of ours, included at its end, puts rules before the others."""

    name = "nftables"

    def __init__(self, chain: str) -> None:
        self._chain = chain

    def is_open(self, port: Port) -> bool:
        """Whether our file has the rule, the ruleset includes it, and the rule is in force."""
        kept = self._line(port) in _lines(_NFT_OURS) and _NFT_INCLUDE in _lines(_NFT_RULES)
        return kept and (bool(self._handles(port)) or not self._is_loaded())

    def set_open(self, port: Port, is_open: bool) -> None:
        """Change the files, then what is in force."""
        line, lines = self._line(port), [found for found in _lines(_NFT_OURS) if found]
        if is_open and line not in lines:
            lines.append(line)
        if not is_open:
            lines = [found for found in lines if found != line]
        os.makedirs(os.path.dirname(_NFT_OURS), mode=0o755, exist_ok=True)
        write_whole(_NFT_OURS, "".join(f"{found}\n" for found in lines).encode(), 0o644)
        rules = _lines(_NFT_RULES)
        if _NFT_INCLUDE not in rules:
            mode = os.stat(_NFT_RULES).st_mode & 0o7777
            write_whole(_NFT_RULES, "\n".join([*rules, _NFT_INCLUDE, ""]).encode(), mode)
        if not self._is_loaded():
            return
        handles, doing = self._handles(port), f"change port {port.number} of nftables"
        if is_open and not handles:
            check(["nft", *line.split()], doing)
        for handle in [] if is_open else handles:
            check(["nft", "delete", "rule", *self._chain.split(), "handle", handle], doing)

    def _line(self, port: Port) -> str:
        source = f"{'ip6' if port.family == 'ipv6' else 'ip'} saddr {port.source} " if port.source else ""
        return f"insert rule {self._chain} {source}{port.protocol} dport {port.number} accept"

    def _is_loaded(self) -> bool:
        return run(["nft", "list", "chain", *self._chain.split()]).status == 0

    def _handles(self, port: Port) -> "list[str]":
        """Numbers of the rules in force that let the port through."""
        rule = self._line(port).partition(self._chain)[2].strip()
        listed = run(["nft", "--numeric", "--handle", "list", "chain", *self._chain.split()]).output
        found = (re.fullmatch(re.escape(rule) + r" # handle (\d+)", line.strip()) for line in listed.splitlines())
        return [match[1] for match in found if match]


def _lines(path: str) -> "list[str]":
    return (read_whole(path) or b"").decode(errors="replace").splitlines()


def normal_source(source: str) -> str:
    """An address or a network as firewalls write it.

    :raises HostError: ``host-network-invalid``
    """
    if not source:
        return ""
    import ipaddress

    try:
        network = ipaddress.ip_network(source)
    except ValueError as error:
        raise HostError("host-network-invalid", f"{source!r} is not an address or a network: {error}") from None
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)

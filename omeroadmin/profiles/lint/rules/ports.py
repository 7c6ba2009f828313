"""Ports that are none, or that two servers want."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from omeroadmin.profiles.lint.model import Fault, LintFacts, Rule, Severity, whole_number
from omeroadmin.profiles.lint.rules.values import is_wrong
from omeroadmin.profiles.lint.wording import remove_command, set_command
from omeroadmin.schema import grid_endpoint
from omeroadmin.schema.catalog import default_of

_PREFIX = "omero.ports.prefix"
_WEB = "omero.web.application_server"
_HIGHEST = 65535
_HTTP = 80
_ANY = ("", "0.0.0.0", "::", "*")  # noqa: S104 - compared with, not bound


@dataclass(frozen=True)
class _Claim:
    """A port that a server of this machine listens on.

    :param property: what sets it
    :param host: address; empty for all
    :param prefixed: whether ``omero.ports.prefix`` is part of it
    """

    property: str
    number: int
    host: str = ""
    prefixed: bool = False


def impossible_ports(facts: LintFacts) -> Iterator[Fault]:
    """``omero.ports.prefix`` that makes a port larger than 65535."""
    prefix = facts.text(_PREFIX)
    ports = [f"omero.ports.{name}" for name in _used(facts)]
    wrong = [port for port in (_PREFIX, *ports) if is_wrong(facts, port)]
    bad = [port for port in ports if not wrong and not _is_port(prefix + facts.text(port))]
    if not bad:
        return
    words = " and ".join(f"{prefix + facts.text(port)} of {port}" for port in bad)
    moved = [port for port in bad if _is_port(prefix + (default_of(port) or ""))]
    command = remove_command(facts, *moved) if len(moved) == len(bad) else set_command(facts, _PREFIX, "1")
    yield Fault((_PREFIX, *bad), f"{_PREFIX} makes {words}, but ports end at {_HIGHEST}", command)


def _is_port(text: str) -> bool:
    return 0 < (whole_number(text) or 0) <= _HIGHEST


def colliding_ports(facts: LintFacts) -> Iterator[Fault]:
    """Two of the grid, PostgreSQL and OMERO.web (or nginx) on the same port."""
    claims = _claims(facts)
    for position, claim in enumerate(claims):
        for other in claims[:position]:
            if claim.number == other.number and _overlap(claim.host, other.host):
                names = (other.property, claim.property)
                problem = f"{other.property} and {claim.property} both come to port {claim.number}"
                yield Fault(names, problem, _apart(facts, claims, other, claim))
    web = next((claim for claim in claims if claim.property == f"{_WEB}.port"), None)
    if web is not None and web.number == _HTTP:
        problem = f"{web.property} is {_HTTP}, which is nginx's"
        yield Fault((web.property,), problem, set_command(facts, web.property, default_of(web.property) or "4080"))


def _used(facts: LintFacts) -> list[str]:
    transports = [name for name in dict.fromkeys(facts.transports()) if name in ("ssl", "tcp", "ws", "wss")]
    return ["registry", *transports, *(["grid"] if grid_endpoint.is_wanted(facts.text) else [])]


def _claims(facts: LintFacts) -> list[_Claim]:
    found = []
    bound = facts.text("Ice.Default.Host")
    for name in _used(facts):
        text = facts.port(name)
        number = whole_number(text) if _is_port(text) else None
        host = grid_endpoint.host(facts.text) if name in ("registry", "grid") else bound
        if number is not None:
            found.append(_Claim(f"omero.ports.{name}", number, host, prefixed=True))
    database, web = facts.number("omero.db.port"), facts.number(f"{_WEB}.port")
    host = facts.text("omero.db.host")
    if database is not None and facts.is_here(host):
        found.append(_Claim("omero.db.port", database, host))
    if web is not None:
        found.append(_Claim(f"{_WEB}.port", web, facts.text(f"{_WEB}.host")))
    return found


def _overlap(one: str, other: str) -> bool:
    """Whether two addresses can't both have a port; names are taken for addresses of this machine."""
    if one in _ANY or other in _ANY or one == other:
        return True
    return not (_is_number(one) and _is_number(other))


def _is_number(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _apart(facts: LintFacts, claims: list[_Claim], one: _Claim, other: _Claim) -> str:
    """What moves one of two: back to its default where that is free, else to the next free one."""
    taken = {claim.number for claim in claims}
    moved = next((claim for claim in (other, one) if claim.property in facts.explicit), other)
    usual = whole_number(default_of(moved.property) or "") or moved.number
    prefix = facts.text(_PREFIX) if moved.prefixed else ""
    if (whole_number(f"{prefix}{usual}") or 0) not in taken:
        return remove_command(facts, moved.property)
    return set_command(facts, moved.property, str(_free(prefix, usual, taken)))


def _free(prefix: str, first: int, taken: set[int]) -> int:
    return next(number for number in range(first + 1, first + 100) if whole_number(f"{prefix}{number}") not in taken)


RULES: tuple[Rule, ...] = (
    Rule(
        "port-impossible",
        Severity.ERROR,
        "No server can listen there, so that the grid doesn't start.",
        impossible_ports,
    ),
    Rule(
        "port-collision",
        Severity.ERROR,
        "The one that comes second doesn't start.",
        colliding_ports,
    ),
)

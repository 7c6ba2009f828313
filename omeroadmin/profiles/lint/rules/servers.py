"""Which servers the nodes run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from omeroadmin.profiles.lint.model import Fault, LintFacts, Rule, Severity
from omeroadmin.profiles.lint.wording import set_command

_NODES = "omero.server.nodedescriptors"
MASTER = "master"
"""The node on the machine that the grid is administered from."""
_EXAMPLE = "master:Blitz-0,Tables-0"
_LONGEST_WORD = 60


def unknown_servers(facts: LintFacts) -> Iterator[Fault]:
    """``omero.server.nodedescriptors`` that name a server for which the grid has no template."""
    for _, server in _named(facts):
        kind, _, _ = server.partition("-")
        if facts.templates and kind not in facts.templates:
            near = _nearest(kind, facts)
            known = ", ".join(sorted(facts.templates))
            problem = (
                f"{_NODES} names {_brief(server)}, but there is no template {_brief(kind)}Template; known: {known}"
            )
            yield Fault((_NODES,), problem, set_command(facts, _NODES, _with(facts, server, near)))


def malformed_nodes(facts: LintFacts) -> Iterator[Fault]:
    """``omero.server.nodedescriptors`` that aren't of the form ``node:Server-0,…``, or a server without its number."""
    for word in facts.text(_NODES).split():
        node, colon, servers = word.partition(":")
        if not node or not colon or not any(servers.split(",")):
            problem = f"{_NODES} has {_brief(word)}, which is not of the form node:Server[-index],…"
            yield Fault((_NODES,), problem, set_command(facts, _NODES, _EXAMPLE))
    for _, server in _named(facts):
        kind, dash, index = server.partition("-")
        needs_index = facts.templates.get(kind)
        if needs_index and not (index.isascii() and index.isdigit()):
            problem = f"{_NODES} names {_brief(server)} without its number"
            yield Fault((_NODES,), problem, set_command(facts, _NODES, _with(facts, server, f"{kind}-0")))
        elif needs_index is False and dash:
            problem = f"{_NODES} names {_brief(server)}, but there is only one {kind}"
            yield Fault((_NODES,), problem, set_command(facts, _NODES, _with(facts, server, kind)))


def repeated_servers(facts: LintFacts) -> Iterator[Fault]:
    """A server that ``omero.server.nodedescriptors`` names twice."""
    for server, number in Counter(server for _, server in _named(facts)).items():
        if number > 1:
            problem = f"{_NODES} names {_brief(server)} {number} times"
            yield Fault((_NODES,), problem, set_command(facts, _NODES, _without_repetition(facts)))


def no_blitz(facts: LintFacts) -> Iterator[Fault]:
    """``omero.server.nodedescriptors`` without a Blitz on any node."""
    found = counts(facts)
    if found and "Blitz" not in found and facts.text(_NODES):
        wanted = f"{facts.text(_NODES)} master:Blitz-0"
        yield Fault((_NODES,), f"{_NODES} names no Blitz on any node", set_command(facts, _NODES, wanted))


def counts(facts: LintFacts, node: str = "") -> dict[str, int]:
    """How many servers of each kind the descriptors name; empty while they name none.

    :param node: on this node alone
    """
    servers = dict.fromkeys(server for name, server in _named(facts) if node in ("", name))
    return dict(Counter(server.partition("-")[0] for server in servers))


def _named(facts: LintFacts) -> list[tuple[str, str]]:
    """Node and server of each that the descriptors name."""
    found = []
    for word in facts.text(_NODES).split():
        node, _, servers = word.partition(":")
        found += [(node, server) for server in servers.split(",") if server]
    return found


def _nearest(kind: str, facts: LintFacts) -> str:
    import difflib

    lower = {name.lower(): name for name in facts.templates}
    near = difflib.get_close_matches(kind.lower(), lower, n=1, cutoff=0.6)
    return lower[near[0]] if near else ""


def _with(facts: LintFacts, server: str, kind: str) -> str:
    """The descriptors with another server in the place of one; without it where there is no other."""
    _, dash, index = server.partition("-")
    if kind and "-" not in kind and facts.templates.get(kind):
        kind = f"{kind}-{index}" if dash and index.isdigit() else f"{kind}-0"
    words = []
    for word in facts.text(_NODES).split():
        node, _, servers = word.partition(":")
        kept = [kind if name == server else name for name in servers.split(",")]
        kept = [name for name in kept if name]
        words += [f"{node}:{','.join(kept)}"] if kept else []
    return " ".join(words) or _EXAMPLE


def _without_repetition(facts: LintFacts) -> str:
    seen: set[str] = set()
    words = []
    for word in facts.text(_NODES).split():
        node, _, servers = word.partition(":")
        kept = [name for name in dict.fromkeys(servers.split(",")) if name and name not in seen]
        seen.update(kept)
        words += [f"{node}:{','.join(kept)}"] if kept else []
    return " ".join(words)


def _brief(text: str) -> str:
    return text if len(text) <= _LONGEST_WORD else f"{text[:_LONGEST_WORD]}…"


RULES: tuple[Rule, ...] = (
    Rule(
        "node-template-unknown",
        Severity.ERROR,
        "The grid's files can't be made, so that the server doesn't start.",
        unknown_servers,
    ),
    Rule(
        "node-malformed",
        Severity.ERROR,
        "The grid's files can't be made, so that the server doesn't start.",
        malformed_nodes,
    ),
    Rule(
        "node-server-repeated",
        Severity.ERROR,
        "Two servers of one name can't run in a grid.",
        repeated_servers,
    ),
    Rule(
        "node-without-blitz",
        Severity.ERROR,
        "Nobody can log in without it.",
        no_blitz,
    ),
)

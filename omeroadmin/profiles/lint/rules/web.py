"""OMERO.web: where its files are found, which servers it knows, whom it lets in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from omeroadmin.profiles.lint.model import Fault, LintFacts, Rule, Severity
from omeroadmin.profiles.lint.wording import remove_command, set_command
from omeroadmin.schema.catalog import default_of

_PREFIX, _STATIC = "omero.web.prefix", "omero.web.static_url"
_SERVERS = "omero.web.server_list"
_DEBUG, _PUBLIC = "omero.web.debug", "omero.web.public.enabled"
_HOST = "omero.web.application_server.host"
_CORS = "omero.web.cors_origin_allow_all"
_TRUE = frozenset({"true", "1", "t"})
"""What OMERO.web reads as true, in any case."""


def _is_on(facts: LintFacts, name: str) -> bool:
    return facts.text(name).lower() in _TRUE


def prefix_without_static(facts: LintFacts) -> Iterator[Fault]:
    """``omero.web.prefix`` without an ``omero.web.static_url`` below it."""
    prefix, static = facts.given(_PREFIX).strip("/"), facts.given(_STATIC)
    if not prefix or "://" in static or static.startswith((f"/{prefix}/", "//")):
        return
    unset = "isn't set" if _STATIC not in facts.explicit else f"is {static}"
    problem = f"{_PREFIX} is {facts.given(_PREFIX)}, but {_STATIC} {unset}"
    yield Fault((_PREFIX, _STATIC), problem, set_command(facts, _STATIC, f"/{prefix}/static/"))


def static_without_slash(facts: LintFacts) -> Iterator[Fault]:
    """``omero.web.static_url`` that doesn't end in a slash."""
    static = facts.given(_STATIC)
    if static and not static.endswith("/"):
        yield Fault((_STATIC,), f"{_STATIC} doesn't end in a slash", set_command(facts, _STATIC, f"{static}/"))


def server_list(facts: LintFacts) -> Iterator[Fault]:
    """``omero.web.server_list`` that is empty or has an entry without a host."""
    found = _parsed(facts.text(_SERVERS))
    if not isinstance(found, list):
        return
    wanted = set_command(facts, _SERVERS, default_of(_SERVERS) or "[]")
    if not found:
        yield Fault((_SERVERS,), f"{_SERVERS} is empty", wanted)
    for number, entry in enumerate(found, start=1):
        if isinstance(entry, list) and not (entry and isinstance(entry[0], str) and entry[0].strip()):
            yield Fault((_SERVERS,), f"entry {number} of {_SERVERS} names no host", wanted)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def debug_open(facts: LintFacts) -> Iterator[Fault]:
    """``omero.web.debug`` with public pages, or where OMERO.web listens to other machines."""
    if not _is_on(facts, _DEBUG):
        return
    host = facts.text(_HOST)
    if _is_on(facts, _PUBLIC):
        problem = f"{_DEBUG} is true, and strangers may come in ({_PUBLIC})"
        yield Fault((_DEBUG, _PUBLIC), problem, remove_command(facts, _DEBUG))
    elif host and not _is_loopback(host):
        problem = f"{_DEBUG} is true, and OMERO.web listens on {host} ({_HOST})"
        yield Fault((_DEBUG, _HOST), problem, remove_command(facts, _DEBUG))


def debug_on(facts: LintFacts) -> Iterator[Fault]:
    """``omero.web.debug`` on a machine of one's own."""
    if _is_on(facts, _DEBUG) and not next(debug_open(facts), None):
        yield Fault((_DEBUG,), f"{_DEBUG} is true", remove_command(facts, _DEBUG))


def _is_loopback(host: str) -> bool:
    return host.lower() in ("localhost", "::1", "[::1]") or host.startswith("127.")


def cors_for_all(facts: LintFacts) -> Iterator[Fault]:
    """``omero.web.cors_origin_allow_all``."""
    if _is_on(facts, _CORS):
        problem = f"{_CORS} is true: the pages of every site may use OMERO.web"
        wanted = set_command(facts, "omero.web.cors_origin_whitelist", '["https://www.example.org"]')
        yield Fault((_CORS,), problem, f"{remove_command(facts, _CORS)} && {wanted}")


def public_account(facts: LintFacts) -> Iterator[Fault]:
    """Public pages without ``omero.web.public.user`` or its password."""
    missing = [name for name in ("omero.web.public.user", "omero.web.public.password") if not facts.given(name)]
    if _is_on(facts, _PUBLIC) and missing:
        problem = f"{_PUBLIC} is true, but {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set"
        yield Fault((_PUBLIC, *missing), problem, " && ".join(_public(facts, name) for name in missing))


def _public(facts: LintFacts, name: str) -> str:
    return set_command(facts, name, "public-user")


def public_writes(facts: LintFacts) -> Iterator[Fault]:
    """Public pages with ``omero.web.public.get_only`` off."""
    name = "omero.web.public.get_only"
    if _is_on(facts, _PUBLIC) and not _is_on(facts, name):
        yield Fault((_PUBLIC, name), f"{_PUBLIC} is true, and {name} is false", remove_command(facts, name))


def public_sees_nothing(facts: LintFacts) -> Iterator[Fault]:
    """Public pages while ``omero.web.public.url_filter`` lets none through."""
    name = "omero.web.public.url_filter"
    if _is_on(facts, _PUBLIC) and facts.text(name) == default_of(name):
        problem = f"{_PUBLIC} is true, but {name} isn't set, and by default lets no page through"
        yield Fault((_PUBLIC, name), problem, set_command(facts, name, "^/webgateway/render_"))


RULES: tuple[Rule, ...] = (
    Rule(
        "web-prefix-without-static-url",
        Severity.WARNING,
        "The web server has no static files there: pages come without style and scripts.",
        prefix_without_static,
    ),
    Rule(
        "web-static-url-slash",
        Severity.ERROR,
        "OMERO.web doesn't start.",
        static_without_slash,
    ),
    Rule(
        "web-server-list",
        Severity.ERROR,
        "Users can't choose a server to log in to.",
        server_list,
    ),
    Rule(
        "web-debug-open",
        Severity.WARNING,
        "Every fault shows code, variables and settings to whoever provokes it.",
        debug_open,
    ),
    Rule(
        "web-debug",
        Severity.ADVICE,
        "A fault shows code and settings, and behind nginx the whole site sees it.",
        debug_on,
    ),
    Rule(
        "web-cors-all",
        Severity.WARNING,
        "A page of a stranger can read what a user who is logged in may see.",
        cors_for_all,
    ),
    Rule(
        "web-public-account",
        Severity.ERROR,
        "Visitors are sent to a login that fails.",
        public_account,
    ),
    Rule(
        "web-public-writes",
        Severity.WARNING,
        "Visitors without an account may send forms, and change what the public account may change.",
        public_writes,
    ),
    Rule(
        "web-public-nothing",
        Severity.ADVICE,
        "Visitors see the login page only.",
        public_sees_nothing,
    ),
)

"""How bytes travel: transports, TLS, certificates, directory, mail."""

from __future__ import annotations

import re
from collections.abc import Iterator

from omeroadmin.profiles.lint.model import Fault, LintFacts, Rule, Severity
from omeroadmin.profiles.lint.wording import set_command

_ICE = "omero.glacier2.IceSSL"
_PROTOCOLS, _HIGHEST, _CIPHERS = f"{_ICE}.Protocols", f"{_ICE}.ProtocolVersionMax", f"{_ICE}.Ciphers"
_TRANSPORTS = "omero.client.icetransports"
_LDAP, _URLS = "omero.ldap.config", "omero.ldap.urls"
_PLAIN = ("tcp", "ws")
_OLD = frozenset({"SSL2", "SSL3", "SSL2_0", "SSL3_0", "TLS1", "TLS1_0", "TLS1_1"})
_ANONYMOUS = frozenset({
    "ADH", "AECDH", "ANULL", "ENULL", "NULL", "ALL", "COMPLEMENTOFALL", "COMPLEMENTOFDEFAULT",
})  # fmt: skip
"""Words that let suites in which check nobody, or encrypt nothing."""
_WEAK = frozenset({"LOW", "EXP", "EXPORT", "EXPORT40", "EXPORT56", "RC4", "RC2", "DES", "3DES", "IDEA", "MD5"})


def plain_transports(facts: LintFacts) -> Iterator[Fault]:
    """``tcp`` or ``ws`` in ``omero.client.icetransports`` while LDAP is on."""
    transports = facts.transports()
    plain = list(dict.fromkeys(name for name in transports if name in _PLAIN))
    if plain and facts.flag(_LDAP):
        kept = [name for name in transports if name not in _PLAIN] or ["ssl"]
        offer = f"{' and '.join(plain)}, which {'does' if len(plain) == 1 else 'do'}n't encrypt"
        problem = f"{_TRANSPORTS} offers {offer}, while {_LDAP} is true"
        yield Fault((_TRANSPORTS, _LDAP), problem, set_command(facts, _TRANSPORTS, ",".join(kept)))


def plain_directory(facts: LintFacts) -> Iterator[Fault]:
    """``omero.ldap.urls`` with ``ldap://`` to another machine."""
    if not facts.flag(_LDAP):
        return
    urls = facts.text(_URLS).split()
    plain = [url for url in urls if url.lower().startswith("ldap://") and not facts.is_here(_host(url))]
    if plain:
        wanted = " ".join(_encrypted(url) if url in plain else url for url in urls)
        problem = f"{_URLS} has {' and '.join(plain)}, which doesn't encrypt"
        yield Fault((_URLS,), problem, set_command(facts, _URLS, wanted))


def _host(url: str) -> str:
    rest = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return rest[1:].partition("]")[0] if rest.startswith("[") else rest.partition(":")[0]


def _encrypted(url: str) -> str:
    return re.sub(r":389(?=/|$)", ":636", re.sub(r"(?i)^ldap://", "ldaps://", url))


def old_protocols(facts: LintFacts) -> Iterator[Fault]:
    """TLS 1.0, 1.1 or SSL in ``omero.glacier2.IceSSL.Protocols`` or ``.ProtocolVersionMax``, as OMERO's default is."""
    old = [word for word in _words(facts.text(_PROTOCOLS)) if word.upper() in _OLD]
    if old:
        problem = f"{_PROTOCOLS}{_unset(facts, _PROTOCOLS)} allows {', '.join(old)}"
        yield Fault((_PROTOCOLS,), problem, set_command(facts, _PROTOCOLS, "TLS1_2,TLS1_3"))
    highest = facts.text(_HIGHEST)
    if highest.upper() in _OLD:
        problem = f"{_HIGHEST}{_unset(facts, _HIGHEST)} is {highest}, and nothing newer is spoken"
        yield Fault((_HIGHEST,), problem, set_command(facts, _HIGHEST, "TLS1_3"))


def weak_ciphers(facts: LintFacts) -> Iterator[Fault]:
    """``omero.glacier2.IceSSL.Ciphers`` with anonymous or broken ones, as OMERO's default is."""
    words = _words(facts.text(_CIPHERS))
    refused = {part.upper() for word in words if word[0] in "!-" for part in word[1:].split("+")}
    allowed = [word for word in words if word[0] not in "!-@+" and not {"ANULL"} & refused]
    anonymous = [word for word in allowed if _parts(word) & (_ANONYMOUS - refused)]
    weak = [word for word in words if word[0] not in "!-@+" and _parts(word) & (_WEAK - refused)]
    bad = list(dict.fromkeys([*anonymous, *weak]))
    if bad:
        problem = f"{_CIPHERS}{_unset(facts, _CIPHERS)} allows {', '.join(bad)}"
        yield Fault((_CIPHERS,), problem, set_command(facts, _CIPHERS, "HIGH"))


def _parts(word: str) -> set[str]:
    """The words of a suite or a combination, as OpenSSL or Java writes it."""
    if word.startswith("("):
        return set()
    return {part.upper() for part in re.split(r"[+-]", word)}


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,:]+", text) if word]


def _unset(facts: LintFacts, name: str) -> str:
    return "" if name in facts.explicit else " isn't set, and its default"


def no_certificate(facts: LintFacts) -> Iterator[Fault]:
    """An encrypted port, and ``omero.glacier2.IceSSL.CertFile`` unset."""
    name = f"{_ICE}.CertFile"
    if not facts.text(name) and {"ssl", "wss"}.intersection(facts.transports()):
        yield Fault((name,), f"{name} isn't set: the server has no certificate", "omero certificates")


def mail_unencrypted(facts: LintFacts) -> Iterator[Fault]:
    """``omero.mail.smtp.auth`` with neither STARTTLS nor TLS."""
    if not facts.flag("omero.mail.config") or not facts.flag("omero.mail.smtp.auth"):
        return
    encrypts = (
        facts.flag("omero.mail.smtp.starttls.enable")
        or "ssl" in facts.text("omero.mail.smtp.socketFactory.class").lower()
        or facts.text("omero.mail.transport.protocol") == "smtps"
    )
    host = facts.text("omero.mail.host")
    if not encrypts and not facts.is_here(host):
        names = ("omero.mail.smtp.auth", "omero.mail.smtp.starttls.enable")
        problem = f"the server logs in to {host} (omero.mail.smtp.auth), but nothing encrypts the connection"
        yield Fault(names, problem, set_command(facts, names[1], "true"))


RULES: tuple[Rule, ...] = (
    Rule(
        "plain-transports-with-ldap",
        Severity.WARNING,
        "A client that uses the open port sends the password of the whole organisation readable over the network.",
        plain_transports,
    ),
    Rule(
        "ldap-unencrypted",
        Severity.WARNING,
        "Each login sends a password readable to the directory.",
        plain_directory,
    ),
    Rule(
        "tls-old",
        Severity.WARNING,
        "These versions are broken, and today's clients refuse them.",
        old_protocols,
    ),
    Rule(
        "ciphers-weak",
        Severity.WARNING,
        "Whoever stands between client and server can pretend to be the server, or read along.",
        weak_ciphers,
    ),
    Rule(
        "certificate-unset",
        Severity.WARNING,
        "Clients can't tell whether they talk to this server.",
        no_certificate,
    ),
    Rule(
        "mail-unencrypted",
        Severity.WARNING,
        "The password of the mail account travels readable over the network.",
        mail_unencrypted,
    ),
)

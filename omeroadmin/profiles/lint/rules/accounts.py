"""LDAP and mail that are switched on before they are set up."""

from __future__ import annotations

from collections.abc import Iterator

from omeroadmin.profiles.lint.model import Fault, LintFacts, Rule, Severity
from omeroadmin.profiles.lint.wording import set_command
from omeroadmin.schema.catalog import default_of

_LDAP, _BASE, _URLS = "omero.ldap.config", "omero.ldap.base", "omero.ldap.urls"
_MAIL, _HOST, _FROM = "omero.mail.config", "omero.mail.host", "omero.mail.from"


def example_base(facts: LintFacts) -> Iterator[Fault]:
    """LDAP is on, and ``omero.ldap.base`` still has the value of the manual's example."""
    if facts.flag(_LDAP) and facts.text(_BASE) == default_of(_BASE):
        problem = f"{_LDAP} is true, but {_BASE} is still the example {facts.text(_BASE)}"
        yield Fault((_BASE, _LDAP), problem, set_command(facts, _BASE, "dc=example,dc=org"))


def directory_unset(facts: LintFacts) -> Iterator[Fault]:
    """LDAP is on, and ``omero.ldap.urls`` isn't set."""
    if facts.flag(_LDAP) and _URLS not in facts.explicit:
        problem = f"{_LDAP} is true, but {_URLS} isn't set: {facts.text(_URLS)} is asked"
        yield Fault((_URLS, _LDAP), problem, set_command(facts, _URLS, "ldaps://ldap.example.org:636"))


def directory_account(facts: LintFacts) -> Iterator[Fault]:
    """``omero.ldap.username`` without ``omero.ldap.password``, or the other way round."""
    names = ("omero.ldap.username", "omero.ldap.password")
    given = [name for name in names if facts.text(name)]
    if facts.flag(_LDAP) and len(given) == 1:
        missing = next(name for name in names if name not in given)
        problem = f"{given[0]} is set, but {missing} isn't"
        yield Fault(names, problem, set_command(facts, missing, "cn=omero,dc=example,dc=org"))


def mail_unset(facts: LintFacts) -> Iterator[Fault]:
    """Mail is on, and ``omero.mail.host`` or ``omero.mail.from`` isn't set."""
    if not facts.flag(_MAIL):
        return
    if _HOST not in facts.explicit:
        problem = f"{_MAIL} is true, but {_HOST} isn't set: mail goes to {facts.text(_HOST)}"
        yield Fault((_HOST, _MAIL), problem, set_command(facts, _HOST, "smtp.example.org"))
    if _FROM not in facts.explicit:
        problem = f"{_MAIL} is true, but {_FROM} isn't set: mail comes from {facts.text(_FROM)}"
        yield Fault((_FROM, _MAIL), problem, set_command(facts, _FROM, "omero@example.org"))


def mail_account(facts: LintFacts) -> Iterator[Fault]:
    """``omero.mail.smtp.auth`` without ``omero.mail.username``."""
    name = "omero.mail.username"
    if facts.flag(_MAIL) and facts.flag("omero.mail.smtp.auth") and not facts.text(name):
        problem = f"omero.mail.smtp.auth is true, but {name} isn't set"
        yield Fault((name, "omero.mail.smtp.auth"), problem, set_command(facts, name, "omero@example.org"))


RULES: tuple[Rule, ...] = (
    Rule(
        "ldap-base-example",
        Severity.ERROR,
        "Nobody is found there, so that no user of the directory can log in.",
        example_base,
    ),
    Rule(
        "ldap-urls-unset",
        Severity.WARNING,
        "Every login waits for a directory that isn't there.",
        directory_unset,
    ),
    Rule(
        "ldap-account-incomplete",
        Severity.WARNING,
        "The directory takes the server for a stranger, or refuses it.",
        directory_account,
    ),
    Rule(
        "mail-unset",
        Severity.WARNING,
        "Mail to users is refused, and nobody notices.",
        mail_unset,
    ),
    Rule(
        "mail-account-missing",
        Severity.WARNING,
        "The mail server refuses the login, and with it every mail.",
        mail_account,
    ),
)

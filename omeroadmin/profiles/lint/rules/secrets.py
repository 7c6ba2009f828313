"""Secrets that are none, and files that show them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from omeroadmin.profiles.lint.model import Fault, LintFacts, Rule, Severity
from omeroadmin.profiles.lint.places import ice_file
from omeroadmin.profiles.lint.rules.values import is_masked
from omeroadmin.profiles.lint.wording import PUBLIC_SECRETS, remove_command
from omeroadmin.schema.catalog import is_secret

_DATABASE_PASSWORD = "omero.db.pass"  # noqa: S105 - the name of a property
_WEB_KEY = "omero.web.secret_key"
_TRUST = "omero.security.trustStorePassword"
_PUBLIC_USER = "omero.web.public.password"
_SHORTEST_KEY = 32
_OTHERS = 0o007


def default_secrets(facts: LintFacts) -> Iterator[Fault]:
    """A password that stands in manuals, such as OMERO's default for the database."""
    if _DATABASE_PASSWORD not in facts.explicit and facts.text(_DATABASE_PASSWORD).lower() in PUBLIC_SECRETS:
        problem = f"{_DATABASE_PASSWORD} isn't set: the password is OMERO's own default"
        yield Fault((_DATABASE_PASSWORD,), problem, _random(facts, _DATABASE_PASSWORD))
    for name, value in facts.explicit.items():
        # The store of what Java trusts holds no secret, and the password of the public account is for everybody.
        if name not in (_TRUST, _PUBLIC_USER) and is_secret(name) and value.strip().lower() in PUBLIC_SECRETS:
            yield Fault((name,), f"{name} is a password that stands in manuals", _random(facts, name))


def _random(facts: LintFacts, name: str) -> str:
    """A new value: where another party has to learn it as well, the admin must choose it."""
    if name == _WEB_KEY:
        return remove_command(facts, name)
    return f"{facts.command} set {shlex.quote(name)} --file FILE"


def weak_web_key(facts: LintFacts) -> Iterator[Fault]:
    """``omero.web.secret_key`` that is short or has hardly any variety."""
    value = facts.given(_WEB_KEY)
    if _WEB_KEY not in facts.explicit or not value or value.lower() in PUBLIC_SECRETS or is_masked(_WEB_KEY, value):
        return
    if len(value) < _SHORTEST_KEY or len(set(value)) < 5:
        problem = f"{_WEB_KEY} is short or has hardly any variety; without the property, OMERO.web makes a good one"
        yield Fault((_WEB_KEY,), problem, remove_command(facts, _WEB_KEY))


def open_files(facts: LintFacts) -> Iterator[Fault]:
    """config.xml with secrets in it, a key or a PKCS#12 file that every user of the machine can read."""
    held = tuple(name for name, value in facts.explicit.items() if is_secret(name) and value.strip())
    files: dict[Path, tuple[str, ...]] = {facts.config_xml: held} if held else {}
    for name in ("omero.certificates.key", "omero.glacier2.IceSSL.CertFile", "omero.glacier2.IceSSL.KeyFile"):
        path = ice_file(facts, name)
        if path is not None:
            files.setdefault(path, (name,))
    for path, names in files.items():
        found = facts.places.get(path)
        if found is not None and found.exists and not found.is_directory and found.mode & _OTHERS:
            problem = f"{path} holds secrets and has mode {found.mode:04o}, so that others can get at it"
            yield Fault(names, problem, f"chmod o-rwx {shlex.quote(str(path))}")


RULES: tuple[Rule, ...] = (
    Rule(
        "secret-default",
        Severity.WARNING,
        "Everybody knows it, or guesses it first.",
        default_secrets,
    ),
    Rule(
        "web-key-weak",
        Severity.WARNING,
        "Whoever guesses it can forge logins of OMERO.web.",
        weak_web_key,
    ),
    Rule(
        "file-open",
        Severity.WARNING,
        "Every user of this machine can read the passwords or the private key.",
        open_files,
    ),
)

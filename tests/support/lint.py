"""Facts for the rules of `omero config lint`: those of a clean profile, changed here and there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError
from omeroadmin.profiles.lint.model import Finding, LintFacts
from omeroadmin.profiles.lint.registry import findings
from omeroadmin.schema.catalog import settings as declared
from omeroadmin.schema.settings import Settings

ICE = "omero.glacier2.IceSSL"
CLEAN: Mapping[str, str] = {
    "omero.data.dir": "/OMERO",
    "omero.db.host": "db.example.org",
    "omero.db.pass": "Q9-unlike-any-other",
    "omero.db.poolsize": "25",
    f"{ICE}.DefaultDir": "/OMERO/certs",
    f"{ICE}.CertFile": "server.p12",
    f"{ICE}.CAs": "server.pem",
    f"{ICE}.Password": "W7-unlike-any-other",
    f"{ICE}.Ciphers": "HIGH",
    f"{ICE}.ProtocolVersionMax": "TLS1_3",
    f"{ICE}.Protocols": "TLS1_2,TLS1_3",
}
SERVERS = {
    "Glacier2": False,
    "Blitz": True,
    "Indexer": True,
    "PixelData": True,
    "Processor": True,
    "Tables": True,
    "Storm": False,
}
GIBIBYTE = 1 << 30


def lint_facts(changes: Mapping[str, str | None] | None = None, **more: Any) -> LintFacts:
    """The facts of a clean profile.

    :param changes: properties to set, or with ``None`` to leave out
    :param more: fields of the facts
    """
    explicit = {name: value for name, value in {**CLEAN, **(changes or {})}.items() if value is not None}
    known: dict[str, Any] = {
        "config_xml": Path("/OMERO.server/etc/grid/config.xml"),
        "omerodir": Path("/OMERO.server"),
        "templates": SERVERS,
        "heaps": dict.fromkeys(("blitz", "indexer", "pixeldata", "repository"), GIBIBYTE),
        "memory": 8 * GIBIBYTE,
    }
    return LintFacts(explicit=explicit, values=in_force(explicit), **{**known, **more})


def in_force(explicit: Mapping[str, str]) -> dict[str, str]:
    """All values, without those that refer to themselves."""
    settings = Settings(explicit)
    values: dict[str, str] = {}
    for name in {**declared(), **explicit}:
        try:
            values[name] = settings.text(name)
        except (AdminError, RecursionError):
            continue
    return values


def of_code(facts: LintFacts, code: str) -> list[Finding]:
    """The findings of a rule."""
    return [finding for finding in findings(facts) if finding.code == code]


def only(facts: LintFacts, code: str) -> Finding:
    """The one finding of a rule."""
    (found,) = of_code(facts, code)
    return found

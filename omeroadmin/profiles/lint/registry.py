"""All rules in the order of their findings, and the check of a profile by them."""

from __future__ import annotations

from omeroadmin.profiles.lint.model import Finding, LintFacts, Rule, Severity
from omeroadmin.profiles.lint.rules import (
    accounts,
    capacity,
    names,
    paths,
    ports,
    secrets,
    servers,
    transports,
    values,
    web,
)
from omeroadmin.profiles.lint.wording import hidden_values, scrub

RULES: tuple[Rule, ...] = (
    *values.RULES,
    *names.RULES,
    *servers.RULES,
    *ports.RULES,
    *paths.RULES,
    *secrets.RULES,
    *transports.RULES,
    *accounts.RULES,
    *capacity.RULES,
    *web.RULES,
)

GENERAL = "value-wrong"
"""What is left out where another rule has found an error in the same value, and so says more of it."""
_ORDER = tuple(Severity)


def findings(facts: LintFacts) -> tuple[Finding, ...]:
    """Everything that is wrong, the worst first; no secret is in it."""
    hidden = hidden_values(facts)
    found = [
        Finding(
            rule.code,
            rule.severity,
            fault.names,
            scrub(fault.problem, hidden),
            rule.reason,
            scrub(fault.command, hidden),
        )
        for rule in RULES
        for fault in rule.check(facts)
    ]
    said = {finding.names[:1] for finding in found if finding.severity is Severity.ERROR and finding.code != GENERAL}
    kept = [finding for finding in found if finding.code != GENERAL or finding.names not in said]
    return tuple(sorted(kept, key=lambda finding: _ORDER.index(finding.severity)))

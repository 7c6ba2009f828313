"""How findings look to people."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.cli.views.lint import lint_document, lint_lines
from omeroadmin.profiles.lint.model import Finding, LintReport, Severity

LONG = 'omero config set omero.web.server_list \'[["omero.example.org", 4064, "omero"]]\' && omero config set omero.x'


def report(*findings: Finding) -> LintReport:
    return LintReport("default", Path("/o/config.xml"), 3, findings)


def finding(code: str, severity: Severity, problem: str, command: str = "omero version") -> Finding:
    return Finding(code, severity, ("omero.db.port",), problem, "It matters a lot.", command)


def test_findings_of_a_rule_share_its_reason() -> None:
    found = report(
        finding("wrong", Severity.ERROR, "one"),
        finding("wrong", Severity.ERROR, "two", LONG),
        finding("odd", Severity.ADVICE, "three\x1b[2J"),
    )
    assert lint_lines(found, width=60) == [
        "ERROR wrong",
        "  one",
        "    $ omero version",
        "  two",
        f"    $ {LONG}",
        "  Why: It matters a lot.",
        "",
        "ADVICE odd",
        "  three\\x1b[2J",
        "    $ omero version",
        "  Why: It matters a lot.",
        "",
        "2 errors, 1 piece of advice: profile default of /o/config.xml",
    ]


def test_long_words_are_wrapped_to_the_width() -> None:
    lines = lint_lines(report(finding("wrong", Severity.WARNING, "word " * 40)), width=10)
    assert max(map(len, lines[:-1])) <= 40
    assert lines[-1].startswith("1 warning: ")


def test_colour_only_where_it_is_wanted() -> None:
    found = report(finding("wrong", Severity.WARNING, "one"))
    assert lint_lines(found, colour=True)[0] == "\x1b[1;33mWARNING\x1b[0m wrong"
    assert "\x1b" not in "".join(lint_lines(found))


def test_nothing_to_say() -> None:
    assert lint_lines(report()) == ["No findings: profile default of /o/config.xml"]
    assert lint_document(report()) == {
        "profile": "default",
        "config_xml": "/o/config.xml",
        "properties": 3,
        "findings": [],
        "counts": {"error": 0, "warning": 0, "advice": 0},
    }

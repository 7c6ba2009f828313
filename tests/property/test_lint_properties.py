"""Whatever a profile holds, `omero config lint` says something of it and never fails."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from omeroadmin.cli.views.lint import lint_document, lint_lines
from omeroadmin.profiles.lint.model import LintReport
from omeroadmin.profiles.lint.registry import RULES
from omeroadmin.profiles.lint.wording import PUBLIC_SECRETS
from omeroadmin.profiles.reader import Profile
from omeroadmin.schema.catalog import is_secret
from omeroadmin.schema.catalog import settings as declared
from omeroadmin.workflows.linting import lint_profile

REASONS = {rule.code: rule.reason for rule in RULES}
names = st.one_of(
    st.sampled_from(sorted(declared())),
    st.builds("{}.{}".format, st.sampled_from(sorted(declared())), st.sampled_from(["blitz", "blits", "indexer", ""])),
    st.from_regex(r"(omero|Ice|omreo)\.[a-z._]{0,20}", fullmatch=True),
    st.text(max_size=12),
)
words = st.sampled_from(
    [
        "true",
        "false",
        "None",
        "0",
        "-1",
        "99999999999999999999",
        "²",
        "[]",
        "[[]]",
        '[["", 1]]',
        "{}",
        "[" * 2000,
        "tcp,ssl",
        "ldap://",
        "ldap://[::1",
        "ldaps://[",
        "master:Blitz-0,,",
        ":",
        "x:y-z",
        "a:Blitz",
        "/",
        "~",
        "..",
        "/proc/self/mem",
        "********",
        " ",
        "!",
        "!:-",
        "ADH+x:(AES)",
        "1g",
        "-5m",
        "${",
        "${omero.name}",
        "${omero.data.dir}",
        "/\0",
        "/a\nb",
        "x" * 300,
        "/" + "x" * 5000,
    ]
)
references = st.builds("a${{{}}}".format, names)
values = st.one_of(words, references, st.text(max_size=30), st.integers().map(str))
profiles = st.dictionaries(names, values, max_size=12)


@settings(deadline=None, max_examples=200)
@given(profiles)
def test_lint_never_fails(values: dict[str, str]) -> None:
    report = lint_profile(None, Profile("default", values), Path("/nowhere/config.xml"))
    for finding in report.findings:
        assert finding.problem
        assert finding.command
        assert REASONS[finding.code] == finding.reason
    document = lint_document(report)
    assert sum(document["counts"].values()) == len(report.findings)
    for line in lint_lines(report, width=60, colour=True):
        assert line.isprintable() or "\x1b[" in line or not line.isascii()


@settings(deadline=None, max_examples=100)
@given(profiles, st.sampled_from([name for name in sorted(declared()) if is_secret(name)]), st.integers(10**9, 10**15))
def test_a_secret_is_never_shown(values: dict[str, str], name: str, number: int) -> None:
    secret = f"Qz{number}Zq"
    assert secret not in PUBLIC_SECRETS
    odd = {**values, "omero.db.host": f"${{{name}}} ", "omero.data.dir": f"/${{{name}}}", name: secret}
    report = lint_profile(None, Profile("default", odd), Path("/nowhere/config.xml"))
    assert secret not in repr(report)


def test_a_long_chain_of_references_ends() -> None:
    chain = {f"omero.x{number}": f"${{omero.x{number + 1}}}" for number in range(1200)}
    report: LintReport = lint_profile(None, Profile("default", chain), Path("/nowhere/config.xml"))
    assert report.findings

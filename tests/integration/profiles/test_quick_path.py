"""The quick path and Typer's give the same result to the byte: output, words on stderr, status and file."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from omeroadmin.cli.registry import GROUPS
from tests.support.profiles import config_file, installed, omero

TYPER = "import sys\nfrom omeroadmin.cli.main import run\nsys.exit(run(sys.argv[1:]))"
VERBS = GROUPS["config"].commands
CONTENT = (
    '<icegrid><properties id="__ACTIVE__"><property name="omero.config.profile" value="default" />'
    '<property name="omero.config.version" value="5.1.0" /></properties><properties id="default">'
    '<property name="omero.config.version" value="5.1.0" />'
    '<property name="omero.web.apps" value="[&quot;figure&quot;]" />'
    '<property name="accent" value="é" />'
    '<property name="omero.db.pass" value="s3cret" /><property name="omero.ldap.password" value="" />'
    '<property name="omero.db.host" value="here" /><property name="example" value="two&#10;lines" />'
    '<property name="circle" value="${circle}" /><property name="Other.PASSWORD" value="x" />'
    '</properties><properties id="other" /><properties id="old"><property name="omero.config.version" value="4.2.1" />'
    '<property name="omero.web.ui.top_links" value="[]" /></properties><include file="templates.xml" /></icegrid>'
)

READS: tuple[tuple[str, ...], ...] = (
    ("version",),
    ("config", "all"),
    ("config", "def"),
    ("config", "get"),
    ("config", "get", "--hide-password"),
    ("config", "get", "--show-password"),
    ("config", "get", "--show-password", "--hide-password"),
    ("config", "get", "--hide-password", "--show-password", "omero.db.pass", "omero.db.host"),
    ("config", "get", "--show-password", "omero.db.pass"),
    ("config", "get", "omero.db.pass"),
    ("config", "get", "example"),
    ("config", "get", "never.set"),
    ("config", "get", "omero.config.version"),
    ("config", "get", "omero.config.version", "omero.db.host", "omero.config.profile"),
    ("config", "get", "omero.db.pass", "never.set", "omero.db.host", "omero.db.host"),
    ("config", "get", "omero.db.pass", "--show-password", "omero.db.host"),
    ("config", "keys"),
    ("config", "path"),
    ("config", "version"),
)
"""What the quick path answers."""

IN_EVERY_STATE = [
    ("version",),
    *(("config", verb) for verb in ("all", "def", "get", "keys", "path", "version")),
    ("config", "get", "omero.db.host"),
    ("config", "get", "omero.db.host", "omero.db.pass", "--show-password"),
    ("config", "set", "omero.db.name", "x", "--report"),
    ("config", "set", "omero.db.host"),
]

OTHERS: tuple[tuple[str, ...], ...] = (
    (),
    ("-h",),
    ("--help",),
    ("--nonsense",),
    ("nonsense",),
    ("version", "-h"),
    ("version", "x"),
    ("config",),
    ("config", "-h"),
    ("config", "nonsense"),
    ("config", "--source"),
    ("config", "--source", "/nowhere/at/all", "get"),
    ("config", "--source", "OMERODIR/etc/grid/config.xml", "get", "omero.db.host"),
    *(("config", verb, "--help") for verb in VERBS),
    *(("config", verb, "-h") for verb in ("get", "keys")),
    *(("config", verb, "--nonsense") for verb in VERBS),
    ("config", "all", "x"),
    ("config", "keys", "x"),
    ("config", "keys", "--"),
    ("config", "path", "x"),
    ("config", "version", "x"),
    ("config", "def", "other"),
    ("config", "def", "__ACTIVE__"),
    ("config", "def", "two words"),
    ("config", "get", ""),
    ("config", "get", "", "omero.db.host"),
    ("config", "get", "-"),
    ("config", "get", "-x"),
    ("config", "get", "--", "omero.db.host"),
    ("config", "get", "--", "--show-password"),
    ("config", "get", "--show"),
    ("config", "get", "--show-password=yes"),
    ("config", "get", "--resolve", "omero.db.host", "omero.data.dir"),
    ("config", "get", "--resolve", "circle"),
    ("config", "get", "--json"),
    ("config", "list"),
    ("config", "list", "--show-password"),
    ("config", "append", "omero.web.apps", '"x"', "--report"),
    ("config", "edit"),
    ("config", "parse"),
    ("config", "parse", "--no-web", "--keys"),
    ("config", "parse", "--keys", "--headers"),
    ("config", "parse", "-f", "/nowhere/at/all"),
    ("config", "append", "--set", "omero.web.apps", '"figure"', "--report"),
    ("config", "append", "omero.web.apps", "x"),
    ("config", "append", "omero.web.apps"),
    ("config", "append", "omero.db.host", '"x"'),
    ("config", "remove", "omero.web.apps", '"figure"', "--report"),
    ("config", "remove", "omero.web.apps", '"x"'),
    ("config", "remove", "never.set", '"x"'),
    ("config", "drop", "other"),
    ("config", "drop", "none"),
    ("config", "drop"),
    ("config", "lock"),
    ("config", "lock", "--wait", "soon"),
    ("config", "upgrade"),
    ("config", "load"),
    ("config", "load", "-"),
    ("config", "load", "/nowhere/at/all"),
    ("config", "set"),
    ("config", "set", "omero.db.name"),
    ("config", "set", "omero.db.name", "x", "--report"),
    ("config", "set", "omero.db.host", "here", "--report"),
    ("config", "set", "omero.db.host", "--report"),
    ("config", "set", "--report", "omero.db.host", "x"),
    ("config", "set", "--report", "--report", "omero.db.host"),
    ("config", "set", "--report"),
    ("config", "set", "omero.db.host", ""),
    ("config", "set", "", "x"),
    ("config", "set", "omero.db.host", "x", "y"),
    ("config", "set", "omero.db.host", "-x"),
    ("config", "set", "omero.db.host", "--", "-x"),
    ("config", "set", "omero.db.host", "x", "--wait", "0"),
    ("config", "set", "omero.config.profile", "x"),
    ("config", "set", "omero.db.pass", "x", "--report"),
    ("config", "set", "omero.db.pass", "********"),
    ("config", "set", "omero.db host", "x"),
    ("config", "set", "example", "\x01"),
    ("config", "set", "example", "\udcff"),
    ("config", "set", "omero.db.host=x"),
    ("config", "set", "omero.db.host=", "x"),
    ("config", "set", "omero.db.hots", "x"),
    ("config", "set", "omero.db.port", "many"),
    ("config", "set", "omero.db.port", "many", "--force"),
    ("config", "set", "omero.db.name", "-f", "-"),
    ("config", "set", "omero.db.name", "-f", "/nowhere/at/all"),
)
"""What is Typer's anyway; run through both entries all the same."""

STATES: dict[str, tuple[str | None, dict[str, str]]] = {
    "another profile": (CONTENT, {"OMERO_CONFIG": "old"}),
    "a profile that isn't there": (CONTENT, {"OMERO_CONFIG": "none"}),
    "an empty OMERO_CONFIG": (CONTENT, {"OMERO_CONFIG": ""}),
    "the reserved profile": (CONTENT, {"OMERO_CONFIG": "__ACTIVE__"}),
    "no file": (None, {}),
    "an empty file": ("", {}),
    "no XML": ("<icegrid>\n<", {}),
    "another document": ("<other />", {}),
    "a document type": ("<!DOCTYPE icegrid><icegrid />", {}),
    "an unknown encoding": ('<?xml version="1.0" encoding="nonsense"?><icegrid />', {}),
    "a deep document": (f"<icegrid>{'<a>' * 101}{'</a>' * 101}</icegrid>", {}),
    "no profiles": ("<icegrid />", {}),
    "OMERODIR unset": (CONTENT, {"OMERODIR": ""}),
    "OMERODIR gone": (CONTENT, {"OMERODIR": "/nowhere/at/all"}),
    "OMERODIR a file": (CONTENT, {"OMERODIR": "/etc/hostname"}),
    "a narrow encoding": (CONTENT, {"PYTHONIOENCODING": "utf-8:strict", "LC_ALL": "C"}),
}


def run_both(file: Path, content: str | None, arguments: tuple[str, ...], **extra: str) -> tuple[int, str, str]:
    """Run a command from the same start both ways.

    :return: status, output and words
    """
    words = [word.replace("OMERODIR", str(file.parents[2])) for word in arguments]
    outcomes = []
    for program in ("", TYPER):
        for left in file.parent.iterdir():
            left.unlink()
        if content is not None:
            file.write_text(content, "utf-8")
            file.chmod(0o600)
        start = (lambda *a, **k: omero(*a, program=TYPER, **k)) if program else installed
        done = start(file, *words, input_text="new=1\nomero.db.host=there\n", **extra)
        text = file.read_text("utf-8") if file.exists() else ""
        outcomes.append((done.returncode, done.stdout, done.stderr, re.sub("generated at .*? by", "", text)))
    assert outcomes[0] == outcomes[1]
    return outcomes[0][:3]


@pytest.mark.parametrize("arguments", READS + OTHERS, ids=" ".join)
def test_every_case(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    status, output, words = run_both(config_file(tmp_path), CONTENT, arguments)
    assert 0 <= status <= 125
    assert "Traceback" not in words
    assert "bug" not in words
    if arguments in READS:
        assert (status, words) == (0, "")
    assert bool(output) or bool(words) or status == 0


@pytest.mark.parametrize("arguments", IN_EVERY_STATE, ids=" ".join)
@pytest.mark.parametrize("state", STATES)
def test_every_state(tmp_path: Path, state: str, arguments: tuple[str, ...]) -> None:
    content, extra = STATES[state]
    status, output, words = run_both(config_file(tmp_path), content, arguments, **extra)
    assert status in (0, 2, 3)
    assert (status == 0) is (words == "")
    assert status == 0 or output == ""
    assert len(words.splitlines()) <= 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize(
    "arguments",
    [
        ("config", "get", "omero.db.host"),
        ("config", "all"),
        ("config", "path"),
        ("config", "set", "omero.db.host", "x"),
        ("config", "load"),
        ("config", "log"),
        ("config", "lock"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("closed", ["config.xml", "grid", "OMERO.server", "above"])
def test_what_may_not_be_read(tmp_path: Path, closed: str, arguments: tuple[str, ...]) -> None:
    file = config_file(tmp_path / "above", CONTENT)
    (path,) = (path for path in (file, *file.parents) if path.name == closed)
    path.chmod(0)
    try:
        done = installed(file, *arguments)
        slow = omero(file, *arguments, program=TYPER)
    finally:
        path.chmod(0o700)
    assert (done.returncode, done.stdout, done.stderr) == (slow.returncode, slow.stdout, slow.stderr)
    assert 0 <= done.returncode <= 125
    assert "bug" not in done.stderr

"""The output of diagnostics, line for line."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.cli.views.diagnostics import diagnosis_document, diagnosis_lines
from omeroadmin.workflows.checks.model import Category, Diagnosis, Item, Status

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "diagnostics" / "output.txt"

DIAGNOSIS = Diagnosis(
    "0.1.0",
    Path("/opt/omero/server/OMERO.server"),
    (
        Category(
            "commands",
            "Commands",
            (
                Item("java -version", Status.SKIP, "not found"),
                Item("psql --version", Status.OK, "15.4       (/usr/bin/psql -- 1 others)"),
            ),
        ),
        Category("components", "Component", (Item("omeroadmin", Status.OK, "0.1.0"),)),
        Category(
            "servers",
            "Server",
            (
                Item("icegridnode", Status.OK, "running"),
                Item("Blitz-0", Status.OK, "active (pid = 5163, enabled)"),
                Item("Indexer-0", Status.FAIL, "inactive (disabled): it ended 5 times", "look into its log"),
                Item("TestDropBox", Status.SKIP, "inactive (enabled)"),
            ),
        ),
        Category("ports", "OMERO", (Item("SSL port", Status.OK, "4064"), Item("TCP port", Status.OK, "4063"))),
        Category("log-directory", "Log dir", (Item("/opt/omero/server/OMERO.server/var/log", Status.OK, "exists"),)),
        Category(
            "log-files",
            "Log files",
            (
                Item("Blitz-0.log", Status.OK, "22.8 KB      errors=0    warnings=9"),
                Item("Total size", Status.OK, "0.02 MB"),
            ),
        ),
        Category("known-issues", "Parsing Blitz-0.log", (Item("[line:3]", Status.OK, "=> Server restarted <="),)),
        Category("environment", "Environment", (Item("PATH", Status.OK, "PATH=/usr/bin:/bin"),)),
        Category(
            "directories",
            "OMERO",
            (Item("data", Status.OK, "'/OMERO'  Exists? True  Is writable? True"),),
        ),
        Category("jvm", "JVM settings", (Item("Blitz-${index}", Status.OK, "-Xmx621m"),)),
        Category("jars", "Jar", ()),
        Category(
            "certificate",
            "Certificate",
            (Item("server.p12", Status.WARN, "valid until 2026-12-01, 7 days (self-signed)", "omero certificates"),),
        ),
    ),
)


def test_output() -> None:
    assert "\n".join(diagnosis_lines(DIAGNOSIS)) + "\n" == GOLDEN.read_text()


def test_problems_come_worst_first() -> None:
    assert [item.name for _, item in DIAGNOSIS.problems] == ["Indexer-0", "server.p12"]
    assert DIAGNOSIS.has_errors


def test_nothing_is_wrong() -> None:
    lines = diagnosis_lines(Diagnosis("1", Path("/x"), ()))
    assert lines[-1] == "Problems:   none"


def test_what_is_found_does_not_steer_the_terminal() -> None:
    item = Item("x", Status.OK, "red \x1b[31m\x07 and \x9b0m")
    [line] = [
        line for line in diagnosis_lines(Diagnosis("1", Path("/x"), (Category("x", "X", (item,)),))) if "red" in line
    ]
    assert line.isprintable()
    assert "\\x1b[31m" in line


def test_document() -> None:
    document = diagnosis_document(DIAGNOSIS)
    assert document["errors"] is True
    assert document["omerodir"] == "/opt/omero/server/OMERO.server"
    assert document["categories"][2]["items"][2] == {
        "name": "Indexer-0",
        "status": "fail",
        "evidence": "inactive (disabled): it ended 5 times",
        "hint": "look into its log",
    }

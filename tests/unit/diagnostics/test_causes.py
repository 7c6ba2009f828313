"""What is recognised in reasons and in lines of logs, ours and those of a distribution."""

from __future__ import annotations

import re

import pytest

from omeroadmin.workflows.causes import CAUSES, cause_in, first_cause, mend_for

LINES = [
    ('FATAL: password authentication failed for user "omero"', "database-password", "omero config set omero.db.pass"),
    ("the database server at localhost:5432 refuses the password of user omero", "database-password", ""),
    ('org.postgresql.util.PSQLException: FATAL: database "images" does not exist', "database-missing", "ROLE images "),
    ("the database server at localhost:5432 has no database images", "database-missing", "ROLE images "),
    ("the database server at localhost:5432 has no role omero", "database-role", "createuser"),
    ("Error connecting to database table dbpatch. You may need to bootstrap.", "database-empty", "omero db init"),
    ("DB version (OMERO5.3__0) does not match the configured value (OMERO5.4__0).", "database-version", ""),
    ("Connection to localhost:5432 refused. Check that the hostname", "database-refused", "start PostgreSQL"),
    ("the database server at db:5432 does not answer", "database-unreachable", "start PostgreSQL"),
    ("the database omero on db:5432 doesn't answer", "database-unreachable", ""),
    ("FATAL: sorry, too many clients already", "database-full", "max_connections"),
    ("port 4064 (ssl) is taken by process 12 (nginx)", "port-taken", "sport = :4064"),
    (
        "the registry can't listen on 127.0.0.1:4061 (omero.ports.registry): Address already in use",
        "port-taken",
        ":4061'",
    ),
    ("java.net.BindException: Address already in use", "port-taken", "sport = :PORT"),
    (
        "/OMERO/certs/server.p12 can't be used: it is no PKCS#12 file, or IceSSL.Password is wrong",
        "certificate-password",
        "",
    ),
    ("IceSSL: mac verify failure", "certificate-password", "omero certificates"),
    (
        "the certificate /OMERO/certs/server.p12 ended on 2026-01-01T00:00:00Z",
        "certificate-expired",
        "omero certificates",
    ),
    ("certificate has expired", "certificate-expired", ""),
    ("/OMERO/certs/server.p12 can't be read: Permission denied", "certificate-missing", ""),
    ("java.lang.OutOfMemoryError: Java heap space", "out-of-memory", "omero admin jvmcfg"),
    ("Error: Could not reserve enough space for 9216000KB object heap", "out-of-memory", ""),
    ("OSError: [Errno 28] No space left on device", "disk-full", "df -h"),
    ("PermissionError: [Errno 13] Permission denied: '/OMERO/Files'", "not-writable", "ls -ld /OMERO/Files"),
    ("[Errno 30] Read-only file system: '/OMERO/.omero'", "not-writable", ""),
    ("FileNotFoundError: [Errno 2] No such file or directory: '/OMERO'", "directory-missing", "ls -ld /OMERO"),
    ("the data directory (omero.data.dir) /OMERO is missing", "directory-missing", "ls -ld /OMERO"),
    (
        "the index in /OMERO/FullText can't be opened: Data corrupted: no meta.json",
        "index-damaged",
        "omero admin reindex --wipe",
    ),
    (
        "the index in /OMERO/FullText is damaged: 1f.store isn't what was written",
        "index-damaged",
        "omero admin reindex --wipe",
    ),
    ("the index in /OMERO/FullText can't be opened: IoError: No space left on device", "disk-full", ""),
    ("ModuleNotFoundError: No module named 'tables.file'", "package-missing", "pip install tables"),
    ("the Python package h11 is not installed", "package-missing", "pip install h11"),
    ("another server uses the repository /OMERO", "repository-in-use", ""),
    ("cannot execute `/nonexistent/a': No such file or directory", "program-missing", "rewrite --force"),
    (
        "omero.db.poolsize is 'many', which is not a number",
        "setting-invalid",
        "omero config describe omero.db.poolsize",
    ),
]


@pytest.mark.parametrize(("line", "code", "mend"), LINES, ids=lambda value: value[:40])
def test_a_line_and_its_cause(line: str, code: str, mend: str) -> None:
    found = cause_in(line.encode())
    assert found is not None
    assert found.code == code
    assert mend in found.mend
    assert "{" not in found.mend


@pytest.mark.parametrize(
    "line",
    [
        "Opened a connection to localhost",
        "Starting Blitz-0 (pid 12)",
        "3 script(s) in /opt/OMERO.server/lib/scripts",
        "changed the password of user root",
        "Verified database patch: OMERO5.4__0",
        "the certificate is valid until 2027",
        "",
    ],
)
def test_what_means_nothing(line: str) -> None:
    assert cause_in(line.encode()) is None


def test_every_cause_is_shown_by_a_line() -> None:
    assert {code for _, code, _ in LINES} == {cause.code for cause in CAUSES}
    assert len({cause.meaning for cause in CAUSES}) == len(CAUSES)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.code)
def test_a_marker_stands_in_what_its_pattern_matches(cause: object) -> None:
    for line, _, _ in LINES:
        for one in CAUSES:
            for sign in one.signs:
                if one is cause and re.search(sign.pattern, line):
                    assert sign.marker in line, (sign, line)


def test_the_most_telling_text_counts() -> None:
    found = first_cause(["it ended", "No space left on device", "java.lang.OutOfMemoryError"])
    assert found is not None
    assert (found.code, found.may_pass) == ("disk-full", False)
    assert first_cause(["it ended"]) is None
    passing = first_cause(["the database server at db:5432 does not answer"])
    assert passing is not None
    assert passing.may_pass


def test_meanings_lead_to_their_mend() -> None:
    assert mend_for("A disk is full.") == "make room; see where: df -h"
    assert mend_for("A Python package is missing.").endswith("pip install PACKAGE")
    assert mend_for("=> Server restarted <=") == ""

"""`omero config lint` as a process: finds what is wrong, says nothing of what is right, and shows no secret."""

from __future__ import annotations

import json
import os
import shlex
import stat
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.profiles.lint.registry import RULES
from omeroadmin.profiles.reader import Profile
from omeroadmin.profiles.store import update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.workflows.install import ExternalDatabase, InstallWish, wanted_properties
from omeroadmin.workflows.linting import lint_profile
from tests.support.omero import Omero
from tests.support.profiles import ACTIVE_START, config_file, installed

ICE = "omero.glacier2.IceSSL"
SECRETS = {
    "omero.ldap.password": "Unmistakable-LDAP-4711",
    "omero.db.pasword": "Unmistakable-DB-4712",
    "omero.mail.password": " Unmistakable-Mail-4713",
    "omero.web.secret_key": "Unmistakable-Web-4714",
    "omero.security.keyStorePassword": "Unmistakable-Store-4715",
}
BAD = {
    **SECRETS,
    "omero.jvmcfg.heap_size.indexer": "200m",
    "omero.jvmcfg.heap_size.pixeldata": "9000g",
    "omero.jvmcfg.heap_size.blits": "1g",
    "omero.threads.min_threads": "60",
    "omero.threads.max_threads": "100",
    "omero.db.port": "abc",
    "omero.db.host": "${omero.database.host}",
    "omero.db.user": "${omero.ldap.password} ",
    "omero.ldap.config": "true",
    "omero.ldap.urls": "ldap://reader:Unmistakable-URL-4716@ad.example.net",
    f"{ICE}.Protocols": "TLS1_0,TLS1_1,TLS1_2",
    f"{ICE}.Ciphers": "ADH",
    f"{ICE}.Password": "secret",
    "omero.data.dir": "/nowhere/OMERO",
    "omero.security.trustStore": "/nowhere/${omero.ldap.password}",
    "omero.web.prefix": "/omero",
    "omero.web.static_root": "/nowhere/static",
    "omero.web.public.enabled": "true",
    "omero.web.public.password": "********",
    "omero.web.debug": "true",
    "omero.web.cors_origin_allow_all": "true",
    "omero.web.server_list": "[]",
    "omero.web.application_server.port": "4064",
    "omero.server.nodedescriptors": "master:Blitz-0,Blits-1",
    "omero.cluster.read_only": "true",
    "omero.sessions.timeout": "90000000",
    "omero.mail.config": "true",
}
WANTED = {
    "key-unknown": "omero.db.pasword",
    "value-wrong": "omero.db.port",
    "service-unknown": "omero.jvmcfg.heap_size.blits",
    "property-obsolete": "omero.threads.max_threads",
    "read-only-deprecated": "omero.cluster.read_only",
    "threads-beyond-pool": "omero.threads.min_threads",
    "file-size-beyond-heap": "omero.search.max_file_size",
    "plain-transports-with-ldap": "omero.client.icetransports",
    "ldap-unencrypted": "omero.ldap.urls",
    "ldap-base-example": "omero.ldap.base",
    "tls-old": f"{ICE}.Protocols",
    "ciphers-weak": f"{ICE}.Ciphers",
    "certificate-unset": f"{ICE}.CertFile",
    "secret-default": "omero.db.pass",
    "secret-masked": "omero.web.public.password",
    "web-key-weak": "omero.web.secret_key",
    "pool-unset": "omero.db.poolsize",
    "path-missing": "omero.data.dir",
    "web-path-missing": "omero.web.static_root",
    "web-prefix-without-static-url": "omero.web.static_url",
    "port-collision": "omero.ports.ssl",
    "node-template-unknown": "omero.server.nodedescriptors",
    "reference-dangling": "omero.db.host",
    "value-space": "omero.mail.password",
    "session-times": "omero.sessions.timeout",
    "mail-unset": "omero.mail.from",
    "web-server-list": "omero.web.server_list",
    "web-debug-open": "omero.web.debug",
    "web-cors-all": "omero.web.cors_origin_allow_all",
    "web-public-account": "omero.web.public.user",
    "file-open": "omero.ldap.password",
}
"""A property that each code must name."""


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A config.xml with about everything wrong with it."""
    file = config_file(tmp_path)
    update_profile(file, BAD, profile="default")
    file.chmod(0o644)
    return file


def test_every_fault_is_found(bad: Path) -> None:
    before = bad.read_bytes()
    done = installed(bad, "config", "lint", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    document = json.loads(done.stdout)
    assert document["schema"] == "omeroadmin/lint/1"
    assert (document["profile"], document["config_xml"]) == ("default", str(bad))
    named: dict[str, set[str]] = {}
    for finding in document["findings"]:
        assert set(finding) == {"code", "severity", "names", "problem", "reason", "command"}
        assert all(finding.values())
        assert shlex.split(finding["command"])
        named.setdefault(finding["code"], set()).update(finding["names"])
    assert {code: name for code, name in WANTED.items() if name not in named.get(code, set())} == {}
    severities = [finding["severity"] for finding in document["findings"]]
    assert document["counts"] == {word: severities.count(word) for word in ("error", "warning", "advice")}
    assert severities == sorted(severities, key=("error", "warning", "advice").index)
    assert bad.read_bytes() == before


@pytest.mark.parametrize("options", [[], ["--json"], ["--strict"]])
def test_no_secret_is_shown(bad: Path, options: list[str]) -> None:
    done = installed(bad, "config", "lint", *options)
    assert done.returncode == 1
    for secret in (*SECRETS.values(), "Unmistakable"):
        assert secret.strip() not in done.stdout + done.stderr


def test_people_get_lines_that_fit(bad: Path) -> None:
    done = installed(bad, "config", "lint", COLUMNS="72")
    lines = done.stdout.splitlines()
    assert "\x1b" not in done.stdout
    assert [
        line for line in lines[:-1] if len(line) > 72 and not line.startswith("    $ ") and " " in line.strip()
    ] == []
    assert lines[0].startswith("ERROR ")
    assert "omero.db.port is 'abc', but takes a port number" in done.stdout
    assert "    $ omero config set omero.db.port" in lines
    assert " errors, " in lines[-1]


def test_commands_do_mend(tmp_path: Path) -> None:
    """The commands of one run, typed as they stand, leave nothing to find."""
    for name in ("data", "certs"):
        (tmp_path / name).mkdir()
    for name in ("server.p12", "server.pem"):
        (tmp_path / "certs" / name).touch(mode=0o600)
    file = config_file(tmp_path)
    faults = {
        "omero.db.prot": "5433",
        "omero.jvmcfg.heap_size.blits": "1g",
        "omero.threads.min_threads": "60",
        "omero.threads.max_threads": "100",
        "omero.client.icetransports": "ssl,tcp",
        "omero.ldap.config": "true",
        "omero.ldap.base": "dc=example,dc=net",
        "omero.ldap.urls": "ldap://ad.example.net:389",
        f"{ICE}.Protocols": "TLS1_0,TLS1_2",
        f"{ICE}.Ciphers": "ADH",
        f"{ICE}.ProtocolVersionMax": "tls1_1",
        "omero.web.prefix": "/omero",
        "omero.web.application_server.port": "4064",
        "omero.server.nodedescriptors": "master:Blits-0,Tables-0",
        "omero.sessions.timeout": "90000000",
        "omero.name": " name",
        "omero.cluster.read_only": "true",
    }
    right = {
        "omero.data.dir": str(tmp_path / "data"),
        "omero.db.pass": "Unmistakable-4711",
        f"{ICE}.DefaultDir": str(tmp_path / "certs"),
        f"{ICE}.CertFile": "server.p12",
        f"{ICE}.CAs": "server.pem",
    }
    update_profile(file, {**faults, **right}, profile="default")
    script = tmp_path / "mend.sh"
    for _ in range(3):
        findings = json.loads(installed(file, "config", "lint", "--json").stdout)["findings"]
        for finding in findings:
            script.write_text(finding["command"])
            _run_script(file, script)
    assert installed(file, "config", "lint").stdout.startswith("No findings: "), findings
    assert installed(file, "config", "get", "omero.db.port").stdout == "5433\n"


def _run_script(file: Path, script: Path) -> None:
    import subprocess

    from tests.support.profiles import environment

    subprocess.run(["sh", str(script)], env=environment(file), check=True, timeout=60, capture_output=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_places_that_cant_be_used(tmp_path: Path) -> None:
    data, store = tmp_path / "data", tmp_path / "store"
    data.mkdir(mode=0o500)
    store.touch(mode=0)
    file = config_file(tmp_path)
    update_profile(file, {"omero.data.dir": str(data), "omero.security.keyStore": str(store)}, profile="default")
    found = _of(installed(file, "config", "lint", "--json").stdout, "path-unusable")
    assert [finding["names"] for finding in found] == [["omero.data.dir"], ["omero.security.keyStore"]]
    assert [finding["command"] for finding in found] == [f"chmod u+rwX {data}", f"chmod u+rwX {store}"]


def _of(text: str, code: str) -> list[dict[str, Any]]:
    return [finding for finding in json.loads(text)["findings"] if finding["code"] == code]


def test_another_file_without_an_instance(bad: Path, tmp_path: Path) -> None:
    other = bad.rename(tmp_path / "other config.xml")
    done = installed(bad, "config", "--source", str(other), "lint", "--json", OMERODIR="")
    assert done.returncode == 1
    (found,) = [finding for finding in _of(done.stdout, "value-wrong") if finding["names"] == ["omero.db.port"]]
    assert found["command"] == f"omero config --source '{other}' set omero.db.port"


def test_strict_counts_warnings(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    update_profile(file, {"omero.data.dir": str(data), "omero.db.pass": "omero"}, profile="default")
    assert installed(file, "config", "lint").returncode == 0
    assert installed(file, "config", "lint", "--strict").returncode == 1


def test_a_file_that_is_none(tmp_path: Path) -> None:
    file = config_file(tmp_path, f"<icegrid>{ACTIVE_START}")
    done = installed(file, "config", "lint")
    assert (done.returncode, done.stdout) == (3, "")
    assert "config.xml, line 1" in done.stderr


def test_templates_and_limits_of_the_instance(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    instance = Instance(file.parents[2])
    instance.templates_xml.write_text(
        '<icegrid><server-template id="OwnTemplate"><parameter name="index"/></server-template>'
        '<server-template id="Odd"/></icegrid>'
    )
    limits = instance.embedded_database / "data" / "postgresql.auto.conf"
    limits.parent.mkdir(parents=True)
    limits.write_text("# Do not edit\nmax_connections = '40'\n")
    profile = Profile(
        "default",
        {
            "omero.server.nodedescriptors": "master:Blitz-0,Own-0,Odd-0",
            "omero.db.embedded": "true",
            "omero.db.poolsize": "31",
        },
    )
    found = {finding.code: finding.problem for finding in lint_profile(instance, profile).findings}
    assert "names Odd-0" in found["node-template-unknown"]
    assert "Own" in found["node-template-unknown"]
    assert "PostgreSQL accepts 40" in found["pool-beyond-postgresql"]
    instance.templates_xml.write_text("<icegrid>")
    found = {finding.code: finding.problem for finding in lint_profile(instance, profile).findings}
    assert "node-template-unknown" in found


def test_memory_settings_that_cant_be_used(tmp_path: Path) -> None:
    profile = Profile("default", {"omero.jvmcfg.append": "-Dname='open"})
    found = [
        item for item in lint_profile(None, profile, tmp_path / "c.xml").findings if item.code == "memory-settings"
    ]
    assert [item.names for item in found] == [("omero.jvmcfg.append",)]


def test_a_new_instance_has_nothing_wrong(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("PostgreSQL refuses root; the unprivileged run of this suite covers this")
    omero = Omero(tmp_path)
    omero.ok("install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded",
             "--ports-prefix", "1", "--yes")  # fmt: skip
    config_xml = omero.omerodir / "etc" / "grid" / "config.xml"
    done = omero.run("config", "lint", "--strict")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"No findings: profile default of {config_xml}\n"
    document = omero.json("config", "lint", "--json")
    assert document["findings"] == []
    assert document["counts"] == {"error": 0, "warning": 0, "advice": 0}
    assert stat.S_IMODE(config_xml.stat().st_mode) == 0o600


def test_an_external_database_is_set_up_for_work(tmp_path: Path) -> None:
    external = ExternalDatabase("db.example.net", 5432, "omero", "omero", "Unmistakable-4711")
    wish = InstallWish(Instance(tmp_path / "OMERO.server"), tmp_path, external)
    properties = wanted_properties(wish, {})
    codes = {finding.code for finding in lint_profile(None, Profile("default", properties)).findings}
    assert not codes & {"pool-unset", "secret-default", "threads-beyond-pool"}
    assert wanted_properties(wish, {"omero.db.poolsize": "90"}).get("omero.db.poolsize") is None


def test_the_page_of_the_rules_has_them_all() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "lint.md").read_text("utf-8")
    assert [rule.code for rule in RULES if f"| `{rule.code}` |" not in page] == []

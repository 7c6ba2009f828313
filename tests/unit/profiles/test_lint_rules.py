"""Each rule of `omero config lint` finds its fault, and leaves alone what is only like it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.profiles.lint.model import LintReport, PlaceFacts, Severity
from omeroadmin.profiles.lint.registry import RULES, findings
from tests.support.lint import ICE, lint_facts, of_code, only

Changes = Mapping[str, str | None]
NODES = "omero.server.nodedescriptors"
LDAP: Changes = {
    "omero.ldap.config": "true",
    "omero.ldap.base": "dc=example,dc=net",
    "omero.ldap.urls": "ldaps://ad.example.net",
    "omero.client.icetransports": "ssl",
}
MAIL: Changes = {
    "omero.mail.config": "true",
    "omero.mail.host": "smtp.example.net",
    "omero.mail.from": "omero@example.net",
}
PUBLIC: Changes = {
    "omero.web.public.enabled": "true",
    "omero.web.public.user": "visitor",
    "omero.web.public.password": "visitor",
    "omero.web.public.url_filter": "^/webgateway/",
}
EMBEDDED: Changes = {"omero.db.embedded": "true", "omero.db.host": "127.0.0.1", "omero.db.port": "5439"}
CONFIG = Path("/OMERO.server/etc/grid/config.xml")
GONE = PlaceFacts(exists=False)
DIRECTORY = PlaceFacts(exists=True, is_directory=True, readable=True, writable=True, mode=0o755)
FILE = PlaceFacts(exists=True, readable=True, writable=True, mode=0o600)


def at(path: str, facts: PlaceFacts) -> dict[str, Any]:
    """One place that has been looked at."""
    return {"places": {Path(path): facts}}


BAD: list[tuple[str, Changes, dict[str, Any]]] = [
    ("value-wrong", {"omero.db.port": "abc"}, {}),
    ("value-wrong", {"omero.db.port": "${omero.x}", "omero.x": "abc"}, {}),
    ("value-wrong", {"omero.ports.ssl": "70000"}, {}),
    ("secret-masked", {"omero.db.pass": "********"}, {}),
    ("secret-masked", {"omero.db.my_password": "***"}, {}),
    ("value-space", {"omero.db.user": "omero "}, {}),
    ("value-space", {"omero.db.user": "\tomero"}, {}),
    ("value-space", {"omero.db.user": "  "}, {}),
    ("reference-circular", {"omero.name": "${omero.db.name}", "omero.db.name": "${omero.name}"}, {}),
    ("reference-circular", {"omero.name": "${omero.name}"}, {}),
    ("reference-circular", {"omero.data.dir": "${omero.managed.dir}/.."}, {}),
    ("reference-dangling", {"omero.managed.dir": "${omero.data.dri}/ManagedRepository"}, {}),
    ("name-invalid", {"omero.db host": "x"}, {}),
    ("key-unknown", {"omero.db.hots": "x"}, {}),
    ("key-unknown", {"omreo.db.host": "x"}, {}),
    ("key-unknown", {"Ice.IPv66": "1"}, {}),
    ("service-unknown", {"omero.jvmcfg.heap_size.blits": "1g"}, {}),
    ("service-unknown", {"omero.db.poolsize.blitz": "10"}, {}),
    ("property-obsolete", {"omero.threads.max_threads": "20"}, {}),
    ("read-only-deprecated", {"omero.cluster.read_only": "true"}, {}),
    ("node-template-unknown", {NODES: "master:Blitz-0,Blits-1"}, {}),
    ("node-template-unknown", {NODES: "master:Blitz-0 worker:Foo-0"}, {}),
    ("node-malformed", {NODES: "master"}, {}),
    ("node-malformed", {NODES: ":Blitz-0"}, {}),
    ("node-malformed", {NODES: "master:Blitz"}, {}),
    ("node-malformed", {NODES: "master:Blitz-0,Storm-1"}, {}),
    ("node-server-repeated", {NODES: "master:Blitz-0 worker:Blitz-0"}, {}),
    ("node-without-blitz", {NODES: "master:Tables-0"}, {}),
    ("port-impossible", {"omero.ports.prefix": "7"}, {}),
    ("port-collision", {"omero.ports.ssl": "4063"}, {}),
    ("port-collision", {"omero.ports.ssl": "4061"}, {}),
    ("port-collision", {"omero.grid.endpoint": "always", "omero.ports.grid": "4064"}, {}),
    ("port-collision", {"omero.web.application_server.port": "4064"}, {}),
    ("port-collision", {"omero.web.application_server.port": "80"}, {}),
    ("port-collision", {"omero.db.host": "localhost", "omero.db.port": "4063"}, {}),
    ("port-collision", {"omero.db.host": "myself", "omero.db.port": "4063"}, {"local_hosts": frozenset({"myself"})}),
    ("path-missing", {}, at("/OMERO", GONE)),
    ("path-missing", {}, at("/OMERO/certs/server.p12", GONE)),
    ("path-missing", {"omero.managed.dir": "/repository"}, at("/repository", GONE)),
    ("path-missing", {"omero.pixeldata.memoizer.dir": "/cache"}, at("/cache", GONE)),
    ("path-missing", {"omero.security.trustStore": "etc/store"}, at("/OMERO.server/etc/store", GONE)),
    ("path-missing", {"omero.security.keyStore": "/key"}, at("/key", GONE)),
    ("path-unusable", {}, at("/OMERO", FILE)),
    ("path-unusable", {}, at("/OMERO", PlaceFacts(True, True, readable=True, writable=False))),
    ("path-unusable", {}, at("/OMERO/certs/server.p12", PlaceFacts(True, readable=False))),
    ("path-unusable", {}, at("/OMERO/certs/server.p12", DIRECTORY)),
    ("web-path-missing", {"omero.web.static_root": "${OMERODIR}/static"}, at("/OMERO.server/static", GONE)),
    ("web-path-missing", {"omero.web.template_dirs": '["/pages"]'}, at("/pages", GONE)),
    ("secret-default", {"omero.db.pass": "omero"}, {}),
    ("secret-default", {"omero.db.pass": None}, {}),
    ("secret-default", {f"{ICE}.Password": "secret"}, {}),
    ("secret-default", {"omero.security.keyStorePassword": "changeit"}, {}),
    ("web-key-weak", {"omero.web.secret_key": "too short"}, {}),
    ("web-key-weak", {"omero.web.secret_key": "ab" * 40}, {}),
    ("file-open", {}, at(str(CONFIG), PlaceFacts(True, mode=0o644))),
    ("file-open", {"omero.certificates.key": "k"}, at("/OMERO/certs/k", PlaceFacts(True, mode=0o604))),
    ("plain-transports-with-ldap", {**LDAP, "omero.client.icetransports": "ssl,tcp"}, {}),
    ("plain-transports-with-ldap", {**LDAP, "omero.client.icetransports": None}, {}),
    ("plain-transports-with-ldap", {**LDAP, "omero.client.icetransports": "wss,ws"}, {}),
    ("ldap-unencrypted", {**LDAP, "omero.ldap.urls": "ldaps://a.example.net ldap://b.example.net"}, {}),
    ("tls-old", {f"{ICE}.Protocols": "tls1"}, {}),
    ("tls-old", {f"{ICE}.Protocols": "TLS1_1, TLS1_2"}, {}),
    ("tls-old", {f"{ICE}.Protocols": None}, {}),
    ("tls-old", {f"{ICE}.ProtocolVersionMax": "tls1_1"}, {}),
    ("ciphers-weak", {f"{ICE}.Ciphers": None}, {}),
    ("ciphers-weak", {f"{ICE}.Ciphers": "HIGH:ADH"}, {}),
    ("ciphers-weak", {f"{ICE}.Ciphers": "ALL:!eNULL"}, {}),
    ("ciphers-weak", {f"{ICE}.Ciphers": "ADH-AES256-GCM-SHA384"}, {}),
    ("ciphers-weak", {f"{ICE}.Ciphers": "HIGH:RC4-SHA"}, {}),
    ("certificate-unset", {f"{ICE}.CertFile": None}, {}),
    ("mail-unencrypted", {**MAIL, "omero.mail.smtp.auth": "true", "omero.mail.username": "u"}, {}),
    ("mail-account-missing", {**MAIL, "omero.mail.smtp.auth": "true"}, {}),
    ("mail-unset", {**MAIL, "omero.mail.host": None}, {}),
    ("mail-unset", {**MAIL, "omero.mail.from": None}, {}),
    ("ldap-base-example", {**LDAP, "omero.ldap.base": None}, {}),
    ("ldap-urls-unset", {**LDAP, "omero.ldap.urls": None}, {}),
    ("ldap-account-incomplete", {**LDAP, "omero.ldap.username": "cn=omero"}, {}),
    ("ldap-account-incomplete", {**LDAP, "omero.ldap.password": "s8-unlike-any-other"}, {}),
    ("threads-beyond-pool", {"omero.threads.min_threads": "25"}, {}),
    ("threads-beyond-pool", {"omero.threads.min_threads.blitz": "30"}, {}),
    ("threads-beyond-pool", {"omero.threads.max_threads": "100"}, {}),
    ("threads-beyond-pool", {"omero.db.poolsize": "4"}, {}),
    ("background-threads", {"omero.threads.min_threads": "10"}, {}),
    ("pool-unset", {"omero.db.poolsize": None}, {}),
    ("pool-unset", {**EMBEDDED, **LDAP, "omero.db.poolsize": None}, {}),
    ("pool-unset", {**EMBEDDED, NODES: "master:Blitz-0,Blitz-1", "omero.db.poolsize": None}, {}),
    ("pool-beyond-postgresql", {**EMBEDDED, "omero.db.poolsize": "91"}, {"connections": 100}),
    ("pool-beyond-postgresql", {NODES: "a:Blitz-0,Blitz-1", "omero.db.poolsize": "50"}, {"connections": 100}),
    ("file-size-beyond-heap", {}, {"heaps": {"indexer": 262143999}}),
    ("heaps-beyond-memory", {}, {"memory": 3 * (1 << 30) - 1}),
    ("heaps-beyond-memory", {NODES: "master:Blitz-0,Blitz-1"}, {"memory": 2 * (1 << 30) - 1}),
    ("memory-settings", {"omero.jvmcfg.percent": "5"}, {"heap_problem": "omero.jvmcfg.percent is odd"}),
    ("session-times", {"omero.sessions.timeout": "9000000"}, {}),
    ("session-times", {"omero.sessions.timeout": "0"}, {}),
    ("session-times", {"omero.sessions.maximum": "60000"}, {}),
    ("slow-call-times", {"omero.throttling.method_time.warn": "30000"}, {}),
    ("web-prefix-without-static-url", {"omero.web.prefix": "/omero"}, {}),
    ("web-prefix-without-static-url", {"omero.web.prefix": "/omero", "omero.web.static_url": "/omero-static/"}, {}),
    ("web-static-url-slash", {"omero.web.static_url": "/static"}, {}),
    ("web-server-list", {"omero.web.server_list": "[]"}, {}),
    ("web-server-list", {"omero.web.server_list": '[["", 4064, "omero"]]'}, {}),
    ("web-debug-open", {**PUBLIC, "omero.web.debug": "true"}, {}),
    ("web-debug-open", {"omero.web.debug": "true", "omero.web.application_server.host": "0.0.0.0"}, {}),
    ("web-debug", {"omero.web.debug": "True"}, {}),
    ("web-cors-all", {"omero.web.cors_origin_allow_all": "true"}, {}),
    ("web-public-account", {**PUBLIC, "omero.web.public.user": None}, {}),
    ("web-public-writes", {**PUBLIC, "omero.web.public.get_only": "false"}, {}),
    ("web-public-nothing", {**PUBLIC, "omero.web.public.url_filter": None}, {}),
]

GOOD: list[tuple[Changes, dict[str, Any]]] = [
    ({}, {}),
    (LDAP, {}),
    ({**LDAP, "omero.ldap.urls": "ldap://localhost:389"}, {}),
    ({**LDAP, "omero.ldap.username": "cn=omero", "omero.ldap.password": "s8-unlike-any-other"}, {}),
    (MAIL, {}),
    (
        {
            **MAIL,
            "omero.mail.smtp.auth": "true",
            "omero.mail.username": "u",
            "omero.mail.smtp.starttls.enable": "true",
        },
        {},
    ),
    (PUBLIC, {}),
    ({**EMBEDDED, "omero.db.poolsize": None}, {"connections": 100}),
    ({**EMBEDDED, "omero.db.poolsize": "90"}, {"connections": 100}),
    ({"omero.client.icetransports": "ssl,tcp,ws,wss"}, {}),
    ({"omero.ports.prefix": "5"}, {}),
    # An open port of another machine isn't ours to collide with.
    ({"omero.db.port": "4064"}, {}),
    ({"omero.ports.ssl": "4443", "Ice.Default.Host": "192.0.2.1", "omero.web.application_server.port": "4443"}, {}),
    ({NODES: "master:Blitz-0,Tables-0 worker:Processor-0"}, {}),
    ({"omero.jvmcfg.heap_size.blitz": "1g", "omero.throttling.method_time.warn.indexer": "90000"}, {}),
    ({"omero.threads.min_threads": "24", "omero.threads.background_threads": "10"}, {}),
    ({"omero.sessions.timeout": "6000000"}, {}),
    ({"omero.web.prefix": "/omero", "omero.web.static_url": "/omero/static/"}, {}),
    ({"omero.web.prefix": "/omero", "omero.web.static_url": "https://static.example.net/"}, {}),
    ({"omero.web.prefix": "None"}, {}),
    ({"omero.web.secret_key": "kJ3hs8d7f6g5h4j3k2l1QwErTyUiOpAsDfGhJkLz"}, {}),
    ({"omero.security.trustStorePassword": "changeit"}, {}),
    ({"omero.web.admins.email_subject_prefix": "[OMERO] "}, {}),
    ({"omero.web.apps": ' ["omero_figure"]\n'}, {}),
    ({"omero.managed.dir": "${omero.data.dir}/Repository"}, {}),
    ({"omero.data.dir": "${DATA}/OMERO"}, {"variables": frozenset({"DATA"})}),
    ({"my.own.note": "x", "omero.web.iviewer.max_projection_bytes": "1"}, {}),
    ({f"{ICE}.Ciphers": "HIGH:!DHE:!aNULL"}, {}),
    ({f"{ICE}.Ciphers": "ALL:!aNULL:!eNULL:!LOW:!EXP:!RC4"}, {}),
    ({}, at("/OMERO", DIRECTORY)),
    # The server makes its repository, and who isn't the owner can't say what the owner may do.
    ({}, at("/OMERO/ManagedRepository", GONE)),
    ({}, at("/OMERO", PlaceFacts(True, True))),
    ({"omero.cluster.read_only.repo": "true"}, at("/OMERO", PlaceFacts(True, True, readable=True, writable=False))),
    ({}, at(str(CONFIG), FILE)),
    ({}, {"heaps": {}, "memory": 1}),
    ({NODES: "worker:Blitz-0 master:Tables-0"}, {"memory": 1 << 20}),
]


@pytest.mark.parametrize(("code", "changes", "more"), BAD, ids=lambda value: value if isinstance(value, str) else "")
def test_the_fault_is_found(code: str, changes: Changes, more: dict[str, Any]) -> None:
    found = of_code(lint_facts(changes, **more), code)
    assert found, [finding.code for finding in findings(lint_facts(changes, **more))]
    for finding in found:
        assert finding.problem
        assert finding.reason.endswith(".")
        assert finding.command.startswith(("omero ", "mkdir ", "chmod ", "sudo chown "))
        assert "\n" not in finding.problem + finding.command


@pytest.mark.parametrize(("changes", "more"), GOOD, ids=lambda value: ",".join(value) or "-")
def test_nothing_is_wrong(changes: Changes, more: dict[str, Any]) -> None:
    assert findings(lint_facts(changes, **more)) == ()


def test_every_rule_has_a_bad_case() -> None:
    assert {rule.code for rule in RULES} == {code for code, _, _ in BAD}
    assert len({rule.code for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_is_documented(rule: Any) -> None:
    assert rule.code == rule.code.lower().replace("_", "-")
    assert (rule.check.__doc__ or "").endswith(".")
    assert rule.reason.endswith(".")
    assert "\n" not in rule.reason


COMMANDS: list[tuple[str, Changes, dict[str, Any], str]] = [
    ("key-unknown", {"omero.db.pasword": "x"}, {}, "omero config set omero.db.pasword"),
    (
        "key-unknown",
        {"omero.db.pasword": "x", "omero.db.pass": None},
        {},
        (
            "omero config get omero.db.pasword | omero config set omero.db.pass --file - "
            "&& omero config set omero.db.pasword"
        ),
    ),
    (
        "service-unknown",
        {"omero.jvmcfg.heap_size.blits": "1g"},
        {},
        (
            "omero config get omero.jvmcfg.heap_size.blits | omero config set omero.jvmcfg.heap_size.blitz --file - "
            "&& omero config set omero.jvmcfg.heap_size.blits"
        ),
    ),
    ("value-wrong", {"omero.db.port": "abc"}, {}, "omero config set omero.db.port"),
    ("value-space", {"omero.db.user": " -x y "}, {}, "omero config set -- omero.db.user '-x y'"),
    ("value-space", {"omero.db.user": " a\nb"}, {}, "omero config set omero.db.user --file FILE"),
    ("value-space", {"omero.db.pass": "unlike-any-other "}, {}, "omero config set omero.db.pass --file FILE"),
    ("tls-old", {f"{ICE}.Protocols": "tls1"}, {}, f"omero config set {ICE}.Protocols TLS1_2,TLS1_3"),
    (
        "ldap-unencrypted",
        {**LDAP, "omero.ldap.urls": "ldap://a.example.net:389/ ldaps://b.example.net"},
        {},
        "omero config set omero.ldap.urls 'ldaps://a.example.net:636/ ldaps://b.example.net'",
    ),
    ("port-impossible", {"omero.ports.prefix": "7"}, {}, "omero config set omero.ports.prefix 1"),
    (
        "port-impossible",
        {"omero.ports.prefix": "6", "omero.ports.tcp": "9999"},
        {},
        "omero config set omero.ports.tcp",
    ),
    ("port-collision", {"omero.ports.ssl": "4063"}, {}, "omero config set omero.ports.ssl"),
    (
        "port-collision",
        {"omero.ports.ssl": "4063", "omero.ports.tcp": "4064", "omero.web.application_server.port": "4063"},
        {},
        "omero config set omero.web.application_server.port",
    ),
    (
        "node-template-unknown",
        {NODES: "master:Blits-2,Tables-0"},
        {},
        f"omero config set {NODES} master:Blitz-2,Tables-0",
    ),
    ("node-server-repeated", {NODES: "master:Blitz-0,Blitz-0"}, {}, f"omero config set {NODES} master:Blitz-0"),
    ("path-missing", {}, at("/OMERO", GONE), "mkdir -p -- /OMERO"),
    ("path-missing", {}, at("/OMERO/certs/server.pem", GONE), "omero certificates"),
    (
        "path-unusable",
        {},
        {**at("/OMERO", PlaceFacts(True, True, readable=True, writable=False)), "user": "omero"},
        "sudo chown omero /OMERO",
    ),
    (
        "path-unusable",
        {},
        at("/OMERO", PlaceFacts(True, True, is_own=True, readable=True, writable=False)),
        "chmod u+rwX /OMERO",
    ),
    ("file-size-beyond-heap", {}, {"heaps": {"indexer": 100}}, "omero config set omero.search.max_file_size 50"),
    ("threads-beyond-pool", {"omero.threads.min_threads": "60"}, {}, "omero config set omero.db.poolsize 76"),
]


@pytest.mark.parametrize(("code", "changes", "more", "command"), COMMANDS)
def test_what_mends_it(code: str, changes: Changes, more: dict[str, Any], command: str) -> None:
    assert command in [finding.command for finding in of_code(lint_facts(changes, **more), code)]


def test_commands_name_the_file_that_was_looked_at() -> None:
    found = only(lint_facts({"omero.db.port": "x"}, command="omero config --source 'a b.xml'"), "value-wrong")
    assert found.command == "omero config --source 'a b.xml' set omero.db.port"


def test_what_is_below_a_missing_directory_is_not_repeated() -> None:
    places = dict.fromkeys(map(Path, ("/OMERO", "/OMERO/certs/server.p12", "/OMERO/certs/server.pem")), GONE)
    assert only(lint_facts(places=places), "path-missing").names == ("omero.data.dir",)


def test_what_a_rule_of_its_own_says_is_not_said_twice() -> None:
    facts = lint_facts({NODES: "master:Blitz-0 foo"})
    assert [finding.code for finding in findings(facts)] == ["node-malformed"]


def test_the_worst_comes_first() -> None:
    facts = lint_facts({"omero.threads.max_threads": "100", "omero.db.port": "x"})
    severities = [finding.severity for finding in findings(facts)]
    assert severities == [Severity.ERROR, Severity.WARNING, Severity.ADVICE]


def test_what_a_report_comes_to() -> None:
    for changes, loose, strict in (
        ({}, False, False),
        ({"omero.threads.max_threads": "20"}, False, False),
        ({"omero.db.pass": "omero"}, False, True),
        ({"omero.db.port": "x"}, True, True),
    ):
        found = findings(lint_facts(changes))
        report = LintReport("default", CONFIG, 1, found)
        assert (report.fails(), report.fails(strict=True)) == (loose, strict)


SECRET = "Zq7-Unverwechselbar"


@pytest.mark.parametrize(
    "changes",
    [
        {"omero.db.pass": f"{SECRET} "},
        {"omero.db.my_password": SECRET},
        {"omero.db.pass": SECRET, "omero.name": "${omero.db.pass} ", "omero.db.port": "${omero.db.pass}"},
        {"omero.db.pass": SECRET, "omero.data.dir": "/${omero.db.pass}"},
        {"omero.db.pass": f"{SECRET}{'x' * 90}", "omero.policy.binary_access": "+read,${omero.db.pass}"},
        {"omero.ldap.password": SECRET, "omero.db.user": f" {SECRET}"},
        {"omero.web.secret_key": SECRET},
        {**LDAP, "omero.ldap.urls": f"ldap://user:{SECRET}@ad.example.net"},
        {"omero.web.caches": f'{{"default": "redis://:{SECRET}@h"'},
    ],
)
def test_secrets_are_in_no_finding(changes: Changes) -> None:
    facts = lint_facts(changes, places={Path(f"/{SECRET}"): GONE})
    found = findings(facts)
    assert found
    assert SECRET not in repr(found)
    assert SECRET not in repr(facts)

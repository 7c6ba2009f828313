"""The grid's files as they are rendered from the settings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid.descriptor import read_servers
from omeroadmin.grid.instances import NODE_DESCRIPTORS
from omeroadmin.grid.rewrite import plan_rewrite, render_files
from omeroadmin.memory.strategies import memory_options
from omeroadmin.profiles.store import update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "grid"
PYTHON = "/opt/omero/bin/python"
ODD = {
    "omero.ports.prefix": "1",
    "omero.client.icetransports": "ssl,tcp,wss",
    "omero.master.host": "omero.example.org",
    "omero.server.nodedescriptors": "worker:Processor-1 master:Blitz-0,Blitz-1,Tables-0",
    "omero.jvmcfg.append.blitz": "'-Dx=<& ${y}'",
    "omero.throttling.method_time.warn.blitz": "7",
    "omero.glacier2.IceSSL.DefaultDir": "/OMERO/certs",
    "omero.glacier2.IceSSL.CertFile": "server.p12",
    "omero.glacier2.IceSSL.Password": "a\"<&>'$${b}",
    "omero.glacier2.IceSSL.Ciphers": "HIGH",
}
CASES: dict[str, dict[str, str]] = {"default": {}, "odd": ODD}


def make(directory: Path, values: dict[str, str]) -> tuple[Instance, Settings]:
    instance = Instance(directory)
    instance.grid_directory.mkdir(parents=True)
    update_profile(instance.config_xml, {"omero.example.set": "${not-ours}", **values})
    return instance, Settings(values)


@pytest.mark.parametrize("case", CASES)
def test_golden(tmp_path: Path, case: str) -> None:
    """Write the files anew with UPDATE_GOLDEN=1 and look at what has changed."""
    instance, settings = make(tmp_path, CASES[case])
    found = render_files(instance, settings, memory_options(settings, 16000), python=PYTHON)
    for path, text in found.items():
        golden = GOLDEN / f"{case}.{path.name}"
        if os.environ.get("UPDATE_GOLDEN"):
            golden.write_text(text)
        assert text == golden.read_text(), golden


def rewrite(instance: Instance, settings: Settings) -> list[str]:
    plan = plan_rewrite(instance, settings, memory_options(settings, 16000), python=PYTHON)
    apply_plan(plan, LocalHost())
    return plan.lines()


def test_the_second_plan_is_empty(tmp_path: Path) -> None:
    instance, settings = make(tmp_path, {})
    assert len(rewrite(instance, settings)) == 1
    assert rewrite(instance, settings) == []
    forced = plan_rewrite(instance, settings, memory_options(settings, 16000), python=PYTHON, force=True)
    assert str(instance.ice_config) in forced.lines()[0]
    assert instance.templates_xml.stat().st_mode & 0o777 == 0o600


def test_what_is_rendered_can_be_read(tmp_path: Path) -> None:
    instance, settings = make(tmp_path, {})
    rewrite(instance, settings)
    servers = {server.identifier: server for server in read_servers(instance.default_xml)}
    assert list(servers) == [
        "OMERO.Glacier2",
        "Blitz-0",
        "Indexer-0",
        "DropBox",
        "MonitorServer",
        "FileServer",
        "OMERO.IceStorm",
        "PixelData-0",
        "Processor-0",
        "Tables-0",
        "TestDropBox",
    ]
    assert [name for name, server in servers.items() if not server.starts_always] == ["TestDropBox"]
    assert {server.executable for server in servers.values()} == {PYTHON}
    assert servers["Blitz-0"].options == ("-m", "omeroadmin.runtime", "Blitz", "-Xmx2400m")
    assert servers["Tables-0"].options == ("-m", "omeroadmin.runtime", "Tables")
    assert dict(servers["Processor-0"].properties)["omero.example.set"] == "${not-ours}"
    assert dict(servers["OMERO.Glacier2"].properties)["Glacier2.Client.Endpoints"] == "ssl -p 4064:tcp -p 4063"
    assert dict(servers["Indexer-0"].properties)["omero.throttling.method_time.warn"] == "3600000"


def test_odd_values_arrive_as_they_are(tmp_path: Path) -> None:
    instance, settings = make(tmp_path, ODD)
    rewrite(instance, settings)
    servers = {server.identifier: server for server in read_servers(instance.default_xml)}
    assert list(servers) == ["OMERO.Glacier2", "Blitz-0", "Blitz-1", "Tables-0", "Processor-1"]
    assert servers["Processor-1"].node == "worker"
    assert servers["Blitz-1"].options[3:] == ("-Xmx2400m", "-Dx=<& ${y}")
    properties = servers["OMERO.Glacier2"].properties
    assert dict(properties)["IceSSL.Password"] == ODD["omero.glacier2.IceSSL.Password"]
    assert dict(properties)["Glacier2.Client.Endpoints"] == "ssl -p 14064:tcp -p 14063:wss -p 14066"
    names = [name for name, _ in properties]
    assert names.index("IceSSL.Password") > names.index("omero.example")
    assert dict(servers["Blitz-0"].properties)["omero.throttling.method_time.warn"] == "7"


@pytest.mark.parametrize("target", ["repo", "debug", "trace", "jmx", "ssl", "adh", "noipv6"])
def test_targets(tmp_path: Path, target: str) -> None:
    instance, settings = make(tmp_path, {})
    rewrite(instance, settings)
    plain, changed = read_servers(instance.default_xml), read_servers(instance.default_xml, (target,))
    assert plain != changed


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (NODE_DESCRIPTORS, "master", "'master'"),
        (NODE_DESCRIPTORS, "master:", "'master:'"),
        (NODE_DESCRIPTORS, "master:Blitz", "'Blitz' needs an index"),
        (NODE_DESCRIPTORS, "master:Blitz-²", "'Blitz-²' needs an index"),
        (NODE_DESCRIPTORS, "master:Blitzz-0", "'Blitzz'"),
        (NODE_DESCRIPTORS, "master:DropBox-1", "only one DropBox"),
        ("omero.client.icetransports", "ssl,udp", "ssl,udp"),
        ("omero.client.icetransports", " ", "omero.client.icetransports"),
        ("omero.master.host", "a b", "'a b'"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, name: str, value: str, words: str) -> None:
    settings = Settings({name: value})
    with pytest.raises(AdminError) as caught:
        plan_rewrite(Instance(tmp_path), settings, memory_options(settings, 16000))
    assert caught.value.code == "setting-invalid"
    assert name in caught.value.message
    assert words in caught.value.message


@pytest.mark.parametrize("name", ["internal", "registry", "../x", ".x", "a/b", "ä"])
def test_names_that_nodes_cant_have(tmp_path: Path, name: str) -> None:
    settings = Settings({NODE_DESCRIPTORS: f"{name}:Processor-1"})
    with pytest.raises(AdminError, match="a node can't be called") as caught:
        plan_rewrite(Instance(tmp_path), settings, memory_options(settings, 16000))
    assert caught.value.code == "setting-invalid"


@pytest.mark.parametrize(
    ("values", "host"),
    [
        ({}, "127.0.0.1"),
        ({"omero.master.host": "localhost"}, "localhost"),
        ({"omero.master.host": "192.168.0.1"}, "worker"),
        ({"Ice.Default.Host": "192.168.0.1"}, "worker"),
        ({"omero.master.host": "192.168.0.1", "Ice.Default.Host": "192.168.0.1"}, "worker"),
        ({"omero.master.host": "192.168.0.1", "Ice.Default.Host": "192.168.0.2"}, "192.168.0.2"),
        ({"omero.grid.hosts": "other=10.0.0.1 worker=10.0.0.2", "Ice.Default.Host": "10.0.0.9"}, "10.0.0.2"),
        ({"omero.master.host": "::1", "omero.grid.hosts": "worker=fe80::2%eth0"}, '"fe80::2%eth0"'),
    ],
)
def test_hosts_of_nodes(tmp_path: Path, values: dict[str, str], host: str) -> None:
    instance, settings = make(tmp_path, {NODE_DESCRIPTORS: "master:Blitz-0 worker:Processor-1", **values})
    rewrite(instance, settings)
    assert f"IceGrid.Node.Endpoints=tcp -h {host}\n" in (instance.etc / "worker.cfg").read_text()


@pytest.mark.parametrize("text", ["worker", "worker=", "=10.0.0.1", "worker=a b=c/d"])
def test_hosts_that_are_none(tmp_path: Path, text: str) -> None:
    settings = Settings({NODE_DESCRIPTORS: "worker:Processor-1", "omero.grid.hosts": text})
    with pytest.raises(AdminError, match=r"omero\.grid\.hosts"):
        plan_rewrite(Instance(tmp_path), settings, memory_options(settings, 16000))


@pytest.mark.parametrize("service", ["blitz", "indexer", "pixeldata", "repository"])
@pytest.mark.parametrize("order", [1, -1])
def test_properties_of_one_service_reach_it_wherever_they_stand(tmp_path: Path, service: str, order: int) -> None:
    values = [("omero.threads.max_threads", "7"), (f"omero.threads.max_threads.{service}", "9"), ("omero.db.host", "x")]
    instance, settings = make(tmp_path, dict(values[::order]))
    rewrite(instance, settings)
    found = {
        server.identifier.partition("-")[0].lower(): dict(server.properties)["omero.threads.max_threads"]
        for server in read_servers(instance.default_xml, ("repo",))
    }
    assert found.pop(service) == "9"
    assert set(found.values()) == {"7"}


def test_all_transports(tmp_path: Path) -> None:
    instance, settings = make(tmp_path, {"omero.client.icetransports": "ssl,tcp,ws,wss", "omero.ports.prefix": "2"})
    rewrite(instance, settings)
    servers = {server.identifier: dict(server.properties) for server in read_servers(instance.default_xml)}
    endpoints = "ssl -p 24064:tcp -p 24063:ws -p 24065:wss -p 24066"
    assert servers["OMERO.Glacier2"]["Glacier2.Client.Endpoints"] == endpoints

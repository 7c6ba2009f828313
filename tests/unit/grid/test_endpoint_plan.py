"""When the grid has an endpoint for other hosts, what it needs, and where that goes."""

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid.descriptor import read_servers
from omeroadmin.grid.icegrid.announced import parse_nodes
from omeroadmin.grid.icegrid.deployment import DeployedServer
from omeroadmin.grid.ports import used_ports
from omeroadmin.grid.rewrite import plan_rewrite
from omeroadmin.memory.strategies import memory_options
from omeroadmin.profiles.store import update_profile
from omeroadmin.schema import grid_endpoint as names
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost
from omeroadmin.workflows.grid_endpoint import plan_endpoint
from tests.support import certificates

ELSEWHERE = {
    "omero.grid.driver": "icegrid",
    "omero.master.host": "10.87.0.1",
    "omero.server.nodedescriptors": "master:Blitz-0 worker:Processor-0",
}


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, True),
        ({"omero.grid.driver": "embedded"}, False),
        ({"omero.grid.driver": "auto"}, False),
        ({"omero.server.nodedescriptors": "master:Blitz-0,Processor-0"}, False),
        ({"omero.server.nodedescriptors": ""}, False),
        ({"omero.master.host": ""}, False),
        ({"omero.master.host": "", "Ice.Default.Host": "omero.example.org"}, True),
        ({"omero.master.host": "127.0.0.1"}, False),
        ({"omero.master.host": "127.8.0.1"}, False),
        ({"omero.master.host": "::1"}, False),
        ({"omero.master.host": "localhost"}, False),
        ({"omero.master.host": "0.0.0.0"}, False),
        ({"omero.grid.endpoint": "never"}, False),
        ({"omero.grid.endpoint": "always", "omero.grid.driver": "embedded", "omero.master.host": ""}, True),
    ],
)
def test_when_there_is_one(changes: dict[str, str], wanted: bool) -> None:
    settings = Settings({**ELSEWHERE, **changes})
    assert names.is_wanted(settings.text) is wanted
    assert ("omero.ports.grid" in {port.property for port in used_ports(settings)}) is wanted


def test_its_port_follows_the_prefix_and_its_host_the_registry() -> None:
    ports = used_ports(Settings({**ELSEWHERE, "omero.ports.prefix": "2", "Ice.Default.Host": "10.87.0.9"}))
    found = {port.property: (port.host, port.number) for port in ports}
    assert found["omero.ports.grid"] == ("10.87.0.1", 24062)
    assert found["omero.ports.registry"] == ("10.87.0.1", 24061)
    assert found["omero.ports.ssl"] == ("10.87.0.9", 24064)


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    made = Instance(tmp_path / "OMERO.server")
    made.grid_directory.mkdir(parents=True)
    return made


@pytest.fixture
def settings(tmp_path: Path, instance: Instance) -> Settings:
    """Of a master with a certificate."""
    complete = certificates.complete_settings(tmp_path)
    (tmp_path / "certs").mkdir()
    certificates.make(complete)
    values = {**complete.explicit(), **ELSEWHERE}
    update_profile(instance.config_xml, values)
    return Settings(values)


def test_the_token_is_made_once(instance: Instance, settings: Settings) -> None:
    first = plan_endpoint(instance, settings)
    assert [step.describe() for step in first.steps] == [f"write {instance.grid_token_file} (the grid's token)"]
    token = first.properties[names.TOKEN]
    assert token not in repr(first)
    for step in first.steps:
        step.apply(LocalHost())
    assert instance.grid_token_file.stat().st_mode & 0o777 == 0o600
    assert instance.grid_token_file.read_text() == f"{token}\n"
    assert len(token) == 64
    second = plan_endpoint(instance, settings)
    assert (second.steps, second.properties) == ((), first.properties)
    instance.grid_token_file.write_text("damaged")
    third = plan_endpoint(instance, settings)
    assert len(third.steps) == 1
    assert third.properties[names.TOKEN] != token


def test_the_fingerprint_is_that_of_the_certificate(instance: Instance, settings: Settings, tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert((tmp_path / "certs" / "server.pem").read_text())
    properties = plan_endpoint(instance, settings).properties
    assert properties[names.FINGERPRINT] == hashlib.sha256(der).hexdigest()
    assert (properties[names.HOST], properties[names.PORT]) == ("10.87.0.1", "4062")


def test_without_an_endpoint_nothing_is_made(instance: Instance, settings: Settings) -> None:
    plan = plan_endpoint(instance, Settings({**settings.explicit(), names.WISH: "never"}))
    assert (dict(plan.properties), plan.steps) == ({}, ())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"omero.glacier2.IceSSL.CertFile": ""}, "certificate-missing"),
        ({"omero.glacier2.IceSSL.CertFile": "other.p12"}, "certificate-missing"),
        ({"omero.glacier2.IceSSL.CertFile": "server.pem"}, "certificate-unreadable"),
        ({"omero.glacier2.IceSSL.Password": "wrong"}, "certificate-unreadable"),
        ({"omero.ports.grid": "x"}, "port-invalid"),
    ],
)
def test_what_it_can_not_do_without(instance: Instance, settings: Settings, changes: dict[str, str], code: str) -> None:
    with pytest.raises(AdminError) as caught:
        plan_endpoint(instance, Settings({**settings.explicit(), **changes}))
    assert caught.value.code == code
    assert not instance.grid_token_file.exists()


def test_it_reaches_the_servers_by_the_descriptor(instance: Instance, settings: Settings) -> None:
    endpoint = plan_endpoint(instance, settings).properties
    plan = plan_rewrite(instance, settings, memory_options(settings, 16000), endpoint=endpoint)
    apply_plan(plan, LocalHost())
    servers = {server.identifier: dict(server.properties) for server in read_servers(instance.default_xml)}
    for identifier in ("OMERO.Glacier2", "Processor-0"):
        assert {name: servers[identifier].get(name) for name in endpoint} == dict(endpoint), identifier
    assert instance.templates_xml.stat().st_mode & 0o777 == 0o600
    without = [path for path in instance.etc.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert [path for path in without if endpoint[names.TOKEN] in path.read_text()] == []


DESCRIBED = """application `OMERO'
{
    uuid = `EC1A6615-9285-46C9-8BEB-A595F5E81FEB'
    properties `Basics'
    {
        omero.grid.endpoint.token = `6c9b'
    }
    server templates
    {
        BlitzTemplate
    }
    node `master'
    {
        load factor = `1.0'
        servers
        {
            Blitz-0
            OMERO.Glacier2
        }
    }
    node `empty'
    {
        servers
        {
        }
    }
    node `worker'
    {
        servers
        {
            Processor-0
        }
    }
}
"""


def test_what_a_registry_says_of_its_nodes() -> None:
    assert parse_nodes(DESCRIBED) == (
        DeployedServer("Blitz-0", "master"),
        DeployedServer("OMERO.Glacier2", "master"),
        DeployedServer("Processor-0", "worker"),
    )
    assert parse_nodes("") == ()
    assert parse_nodes("application `OMERO'\n{\n    properties `node `x''\n    {\n    }\n}\n") == ()

"""Descriptions in the layout of icegridadmin: blocks in braces, values between a backquote and a quote."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator

from omeroadmin.grid.client import DeployedApplication
from omeroadmin.grid.model import ServerSpecification
from omeroadmin.schema.catalog import MASK, is_secret

_IDENTITY = ("Ice.ServerId", "Ice.Admin.ServerId")
Lines = Iterable[str]


def application_text(application: DeployedApplication) -> str:
    """``application describe``."""
    first, last = application.deployed_at[0], application.deployed_at[-1]
    facts = [
        _fact("revision", str(len(application.deployed_at))),
        _fact("creation time", first),
        _fact("update time", last),
        _fact("descriptor", str(application.file)),
    ]
    if application.targets:
        facts.append(_fact("targets", " ".join(application.targets)))
    nodes = (
        line
        for node, servers in application.servers.items()
        for line in _block(f"node `{node}'", _block("servers", servers))
    )
    return _text(f"application `{application.name}'", (*facts, *nodes))


def server_text(server: ServerSpecification, application: DeployedApplication) -> str:
    """``server describe``; passwords are masked."""
    facts = [
        _fact("application", application.name),
        _fact("application revision", str(len(application.deployed_at))),
        _fact("node", server.node),
        _fact("exe", server.executable),
    ]
    if server.working_directory:
        facts.append(_fact("pwd", server.working_directory))
    facts += [
        _fact("activation", server.activation),
        _fact("activationTimeout", f"{server.activation_timeout:g}"),
        _fact("deactivationTimeout", f"{server.deactivation_timeout:g}"),
    ]
    if server.options:
        facts.append(_fact("options", " ".join(server.options)))
    if server.environment:
        facts.append(_fact("envs", " ".join(f"{name}={value}" for name, value in server.environment)))
    properties = (_fact(name, masked(name, value)) for name, value in _effective(server.properties))
    return _text(f"server `{server.identifier}'", (*facts, *_block("properties", properties)))


def properties_text(server: ServerSpecification) -> str:
    """``server properties``; passwords are masked."""
    identity = [(name, server.identifier) for name in _IDENTITY]
    pairs = sorted(_effective((*identity, *server.properties)))
    return "\n".join(f"{name}={masked(name, value)}" for name, value in pairs)


def property_value(server: ServerSpecification, name: str) -> str | None:
    """``server property``; ``None`` where it isn't set."""
    identity = dict.fromkeys(_IDENTITY, server.identifier)
    value = {**identity, **dict(server.properties)}.get(name)
    return None if value is None else masked(name, value)


def node_text(node: str) -> str:
    """``node describe`` of a node of this machine."""
    system = platform.uname()
    facts = (
        _fact("operating system", system.system),
        _fact("host name", system.node),
        _fact("release", system.release),
        _fact("version", system.version),
        _fact("machine type", system.machine),
        _fact("number of threads", str(os.cpu_count() or 1)),
    )
    return _text(f"node `{node}'", facts)


def registry_text(registry: str) -> str:
    """``registry describe``."""
    return _text(f"registry `{registry}'", (_fact("host name", platform.node()),))


def masked(name: str, value: str) -> str:
    """A property's value, but for those that are secret."""
    return MASK if value and is_secret(name) else value


def _effective(properties: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of equal names the last value, at the place of the first."""
    return list(dict(properties).items())


def _fact(name: str, value: str) -> str:
    return f"{name} = `{value}'"


def _block(title: str, lines: Lines) -> Iterator[str]:
    yield title
    yield "{"
    for line in lines:
        yield f"    {line}"
    yield "}"


def _text(title: str, lines: Lines) -> str:
    return "\n".join(_block(title, lines))

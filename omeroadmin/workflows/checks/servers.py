"""The grid: node and servers, their ports, their JVM settings."""

from __future__ import annotations

from omeroadmin.grid.driver import driver_for
from omeroadmin.grid.elements import read_descriptor
from omeroadmin.grid.model import ServerState, State
from omeroadmin.workflows.causes import first_cause
from omeroadmin.workflows.checks.model import Category, Item, Status, Subject


def servers(subject: Subject) -> Category:
    """What the node says of itself and of each server."""
    return Category("servers", "Server", tuple(_servers(subject)))


def _servers(subject: Subject) -> list[Item]:
    if not subject.instance.internal_cfg.exists():
        return [Item("icegridnode", Status.SKIP, "not started (never was)", "omero admin start")]
    state = driver_for(subject.instance, subject.settings).state()
    if not state.running:
        return [Item("icegridnode", Status.SKIP, "not started", "omero admin start")]
    return [
        Item("icegridnode", Status.OK, "running"),
        *(server_item(server) for server in sorted(state.servers, key=lambda server: server.id)),
    ]


def server_item(server: ServerState) -> Item:
    """The line of one server: its state in IceGrid's words, and the reason where there is one."""
    evidence = server.describe()
    if server.reason and not server.is_active:
        evidence = f"{evidence}: {server.reason}"
    if server.is_active:
        return Item(server.id, Status.OK, evidence)
    if not server.has_failed and not server.is_awaited:
        return Item(server.id, Status.SKIP, evidence)
    status = Status.WARN if server.state == State.ACTIVATING else Status.FAIL
    cause = first_cause([server.reason])
    if cause is not None:
        return Item(server.id, status, evidence, cause.mend)
    return Item(server.id, status, evidence, f"look into var/log/{server.id}.log and var/log/master.err")


def ports(subject: Subject) -> Category:
    """The two ports that clients connect to."""
    items = [Item(f"{name.upper()} port", Status.OK, str(subject.settings.port(name))) for name in ("ssl", "tcp")]
    return Category("ports", "OMERO", tuple(items))


def jvm(subject: Subject) -> Category:
    """Memory options of the rendered server templates."""
    file = subject.instance.templates_xml
    if not file.is_file():
        missing = Item("templates.xml", Status.SKIP, "not rendered yet", "omero admin rewrite")
        return Category("jvm", "JVM settings", (missing,))
    items = []
    for template in read_descriptor(file, frozenset()).children("server-template"):
        for server in template.children("server"):
            options = [option.text for option in server.children("option") if option.text.startswith("-X")]
            if options:
                items.append(Item(server.require("id"), Status.OK, " ".join(options)))
    return Category("jvm", "JVM settings", tuple(items))

"""Operations on what keeps others out: firewall-port, selinux."""

from __future__ import annotations

from typing import Any

from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType

_PROTOCOL = Field("protocol", FieldType.CHOICE, "`tcp` or `udp`.", "tcp", choices=("tcp", "udp"))


def _selinux_fault(fields: dict[str, Any]) -> str:
    if bool(fields["boolean"]) == bool(fields["port"]):
        return "give either boolean or port"
    if bool(fields["port"]) != bool(fields["type"]):
        return "a port has a type, such as http_port_t; a boolean has none"
    return ""


FIREWALL_PORT = Declaration(
    "firewall-port",
    "A port that the host's firewall lets through, now and after the next start: firewalld, ufw, or a ruleset in "
    "`/etc/nftables.conf` that keeps others out. Where no firewall is on, nothing is changed.",
    (
        Field("port", FieldType.PORT, "The port.", REQUIRED),
        _PROTOCOL,
        Field("source", FieldType.TEXT, "Address or network that may reach it, such as `10.0.0.0/8`; by default any."),
        Field("zone", FieldType.NAME, "Zone of firewalld; by default its own default zone."),
        Field("state", FieldType.CHOICE, "`closed` drops the rule again.", "open", choices=("open", "closed")),
    ),
    main="port",
    undo=True,
    example="firewall-port: {port: 4064, source: 10.0.0.0/8}",
)
SELINUX = Declaration(
    "selinux",
    "A boolean of SELinux or the type of a port, for good. Nothing is changed where SELinux is off.",
    (
        Field("boolean", FieldType.NAME, "The boolean, such as `httpd_can_network_connect`."),
        Field("value", FieldType.BOOLEAN, "What the boolean shall be.", default=True),
        Field("port", FieldType.PORT, "The port."),
        _PROTOCOL,
        Field("type", FieldType.NAME, "Type of the port, such as `http_port_t`."),
    ),
    undo=True,
    check=_selinux_fault,
    example="selinux: {boolean: httpd_can_network_connect}",
)
DECLARED = (FIREWALL_PORT, SELINUX)

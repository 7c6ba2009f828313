"""The server of a drill: the restored instance, made so that it reaches nothing and nobody outside its directory."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.access.address import Address
from omeroadmin.access.client import Client
from omeroadmin.access.trust import Trust
from omeroadmin.certificates.facts import certificate_files
from omeroadmin.certificates.plan import CertificateWish
from omeroadmin.database.passwords import omero_hash
from omeroadmin.database.script import ROOT_USER_ID
from omeroadmin.errors import failed_error
from omeroadmin.grid.ports import used_ports
from omeroadmin.profiles.store import load_settings, update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost
from omeroadmin.system.sockets import unused_ports
from omeroadmin.workflows.certificates import plan_instance_certificates

if TYPE_CHECKING:
    from psycopg import Connection

_LOOPBACK = "127.0.0.1"
_PORTS = ("registry", "ssl", "tcp", "ws", "wss", "grid")
_ISOLATED = {
    # Nobody else's: no other host, no directory, no mail.
    "omero.master.host": _LOOPBACK,
    "Ice.Default.Host": _LOOPBACK,
    "omero.grid.hosts": "",
    "omero.grid.driver": "embedded",
    "omero.client.icetransports": "ssl",
    "omero.ldap.config": "false",
    "omero.mail.config": "false",
    # What acts of its own accord stays out: DropBox would import what waits there, Processor go on with scripts.
    "omero.server.nodedescriptors": "master:Blitz-0,Indexer-0,PixelData-0,Tables-0",
    "omero.policy.binary_access": "+read,+write,+image,+plate",
}
_CERTIFICATES = ("omero.glacier2.IceSSL.", "omero.certificates.")


def drill_ports() -> dict[str, str]:
    """Properties for ports of a drill's database and server, all of them free and of no other instance's numbers."""
    database, *public = unused_ports(1 + len(_PORTS), _LOOPBACK)
    ports = {f"omero.ports.{name}": str(port) for name, port in zip(_PORTS, public, strict=True)}
    return {"omero.db.port": str(database), "omero.ports.prefix": "", **ports}


def isolate(instance: Instance, certificates: Path) -> Settings:
    """Give a restored instance settings by which it keeps to itself, and a certificate of its own.

    The original's certificate may be of any name or not be in the snapshot at all.

    :param certificates: directory for key and certificate
    :return: the instance's settings from now on
    :raises AdminError: those of the configuration and of :func:`plan_instance_certificates`
    """
    present = load_settings(instance).explicit()
    foreign = [name for name in present if name.startswith(_CERTIFICATES)]
    update_profile(instance.config_xml, {}, remove=foreign, cause="backup drill")
    own = {"omero.glacier2.IceSSL.DefaultDir": str(certificates)}
    update_profile(instance.config_xml, {**_ISOLATED, **own}, cause="backup drill")
    host = LocalHost()
    apply_plan(plan_instance_certificates(instance, CertificateWish(), host), host)
    return load_settings(instance)


def set_root_password(connection: Connection[Any]) -> tuple[str, str]:
    """Give root of a drill's database a password by chance.

    :return: root's name and the password
    :raises AdminError: ``root-missing``
    """
    password = secrets.token_urlsafe(24)
    row = connection.execute("SELECT omename FROM experimenter WHERE id = %s", (ROOT_USER_ID,)).fetchone()
    if row is None:
        raise failed_error("root-missing", "the restored database has no user root", "see omero db check")
    # Both kinds of server understand OMERO's own hash; it lives as long as the drill.
    hashed = omero_hash(ROOT_USER_ID, password)
    changed = connection.execute("UPDATE password SET hash = %s WHERE experimenter_id = %s", (hashed, ROOT_USER_ID))
    if not changed.rowcount:
        connection.execute("INSERT INTO password (experimenter_id, hash) VALUES (%s, %s)", (ROOT_USER_ID, hashed))
    return str(row[0]), password


@contextlib.contextmanager
def logged_in(settings: Settings, user: str, password: str) -> Iterator[Client]:
    """A client of a drill's server, as any other: by TLS, with a password.

    :raises AdminError: ``authentication-failed`` and what :meth:`Client.get` raises
    """
    port = next(port for port in used_ports(settings) if port.property == "omero.ports.ssl")
    trust = Trust(certificate_files(settings).certificate, system=False)
    with Client(Address("localhost", port.number), trust=trust) as client:
        client.open_session(user, password)
        yield client

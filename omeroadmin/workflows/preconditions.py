"""What must be so before a server can start: each check is cheap and names what is wrong."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from omeroadmin.errors import configuration_error
from omeroadmin.grid.driver import driver_for
from omeroadmin.grid.icegrid.programs import check_versions
from omeroadmin.grid.ports import used_ports
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files, sockets

_ICESSL = "omero.glacier2.IceSSL"
_CHECK_ENVIRONMENT = "omero.server.servicemanager.checkenv"
_PRIVATE = 0o700
_OLD_PROTOCOLS = frozenset({"TLS1_0", "TLS1_1", "TLS1"})


def refuse_root(instance: Instance) -> None:
    """The servers and PostgreSQL never run as root.

    :raises AdminError: ``started-by-root``
    """
    if os.geteuid() != 0:
        return
    try:
        user = pwd.getpwuid(instance.var.stat().st_uid).pw_name
    except (OSError, KeyError):
        user = "USER"
    raise configuration_error(
        "started-by-root",
        "the server can't be run by root",
        f"runuser -u {'USER' if user == 'root' else user} -- omero admin start",
    )


def refuse_foreign(instance: Instance, settings: Settings) -> None:
    """Only reference instances are supervised by this version, and not those that a service manager runs.

    :raises AdminError: ``distribution-unsupported``, ``setting-invalid``, ``icegrid-missing``, ``icegrid-version``,
        ``environment-unset``
    """
    if instance.is_distribution:
        raise configuration_error(
            "distribution-unsupported",
            f"{instance.omerodir} holds a distribution of OMERO.server; its servers are run by its own programs",
            "make a reference instance: omero install --help",
        )
    if driver_for(instance, settings).name == "icegrid":
        check_versions()
    variable = settings.text(_CHECK_ENVIRONMENT).strip()
    if variable and not os.environ.get(variable):
        raise configuration_error(
            "environment-unset",
            f"{_CHECK_ENVIRONMENT} wants the variable {variable}, which is not set: a service manager runs this server",
            "start it through the service manager, e.g. systemctl start omero-server",
        )


def check_directories(instance: Instance, settings: Settings) -> None:
    """The state and data directories are there and writable; what belongs below var is made.

    :raises AdminError: ``directory-missing``, ``directory-not-writable``
    """
    _check_directory(instance.etc, "configuration directory")
    _check_directory(instance.grid_directory, "configuration directory")
    _check_directory(instance.var, "state directory")
    _check_directory(settings.data_directory, "data directory (omero.data.dir)")
    for directory in (
        instance.log_directory,
        instance.temporary_directory,
        instance.run_directory,
        instance.registry_directory,
        instance.node_directory("master"),
    ):
        if not directory.exists():
            files.make_directory(directory, mode=_PRIVATE)
        _check_directory(directory, "state directory")


def _check_directory(path: Path, what: str) -> None:
    if not path.is_dir():
        raise configuration_error(
            "directory-missing",
            f"the {what} {path} is missing" if not path.exists() else f"the {what} {path} is not a directory",
            "mount or restore it, correct the setting, or make an instance: omero install --help",
        )
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        user = pwd.getpwuid(os.geteuid()).pw_name
        raise configuration_error(
            "directory-not-writable",
            f"the {what} {path} is not writable for {user}",
            f"check owner and mode: ls -ld {path}",
        )


def check_ports(settings: Settings) -> None:
    """All ports of the grid are free.

    :raises AdminError: ``port-taken``, ``port-invalid``, ``setting-invalid``
    """
    for port in used_ports(settings):
        if sockets.port_is_free(port.number, port.host):
            continue
        holder = sockets.port_holder(port.number)
        raise configuration_error(
            "port-taken",
            f"port {port.number} ({port.property}) is taken by {holder}",
            "stop that process, or move all ports: omero config set omero.ports.prefix 1",
        )


def check_certificates(settings: Settings) -> None:
    """The certificate that OMERO.Glacier2 shows is there.

    :raises AdminError: ``certificate-missing``
    """
    name = settings.text(f"{_ICESSL}.CertFile").strip()
    directory = settings.text(f"{_ICESSL}.DefaultDir").strip()
    if not name:
        raise configuration_error(
            "certificate-missing", f"{_ICESSL}.CertFile is not set: there is no certificate", "omero certificates"
        )
    path = Path(directory) / name
    if not os.access(path, os.R_OK):
        problem = "can't be read" if path.exists() else "is missing"
        raise configuration_error(
            "certificate-missing", f"the certificate {path} ({_ICESSL}.CertFile) {problem}", "omero certificates"
        )


def advice(settings: Settings) -> tuple[str, ...]:
    """What OMERO's admins are reminded of at each start."""
    if settings.is_set("omero.db.poolsize"):
        return ()
    return (
        "WARNING: Your server has not been configured for production use.",
        "  -> omero config set omero.db.poolsize 50 (with PostgreSQL's max_connections above it)",
    )


def warnings(settings: Settings) -> tuple[str, ...]:
    """What is unsafe though it works."""
    protocols = {word.strip().upper() for word in settings.text(f"{_ICESSL}.Protocols").split(",")}
    old = sorted(protocols & _OLD_PROTOCOLS)
    if not old:
        return ()
    return (
        f"WARNING: {_ICESSL}.Protocols allows {', '.join(old)}, which are no longer safe and are not served.",
        f"  -> omero config set {_ICESSL}.Protocols TLS1_2,TLS1_3",
    )

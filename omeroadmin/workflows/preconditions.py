"""What must be so before a server can start: each check is cheap and names what is wrong."""

from __future__ import annotations

import errno
import os
import pwd
import tempfile
from pathlib import Path

from omeroadmin.certificates.files import CertificateDetails, read_bundle
from omeroadmin.database import embedded
from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.grid.driver import DRIVER, driver_for
from omeroadmin.grid.icegrid.programs import check_versions
from omeroadmin.grid.ports import used_ports
from omeroadmin.repository import moving
from omeroadmin.repository.layout import has_markers
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import clock, files, mounts, process, sockets
from omeroadmin.workflows.memory import memory_report

_ICESSL = "omero.glacier2.IceSSL"
_CHECK_ENVIRONMENT = "omero.server.servicemanager.checkenv"
_PRIVATE = 0o700
_PROBE = 65536
_MEGABYTE = 1_000_000
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
    """A distribution's servers need IceGrid and Java; what a service manager runs isn't started behind its back.

    :raises AdminError: ``distribution-unsupported``, ``java-missing``, ``setting-invalid``, ``icegrid-missing``,
        ``icegrid-version``, ``environment-unset``
    """
    on_icegrid = driver_for(instance, settings).name == "icegrid"
    if instance.is_distribution:
        _check_distribution(instance, on_icegrid=on_icegrid)
    if on_icegrid:
        check_versions()
    variable = settings.text(_CHECK_ENVIRONMENT).strip()
    if variable and not os.environ.get(variable):
        raise configuration_error(
            "environment-unset",
            f"{_CHECK_ENVIRONMENT} wants the variable {variable}, which is not set: a service manager runs this server",
            "start it through the service manager, e.g. systemctl start omero-server",
        )


def _check_distribution(instance: Instance, *, on_icegrid: bool) -> None:
    if not on_icegrid:
        raise configuration_error(
            "distribution-unsupported",
            f"{instance.omerodir} holds a distribution of OMERO.server, whose servers speak to IceGrid only",
            f"omero config set {DRIVER} icegrid, or make a reference instance: omero install --help",
        )
    if process.find_program("java") is None:
        raise configuration_error(
            "java-missing",
            f"{instance.omerodir} holds a distribution of OMERO.server, whose servers need java, which PATH lacks",
            "install Java, e.g. Debian's openjdk-11-jre-headless or newer",
        )


def make_state_directory(instance: Instance, settings: Settings) -> None:
    """Make ``var`` where there is none, as OMERO does; not where it held the database, which then is what is missing.

    :raises AdminError: ``directory-not-created``, ``setting-invalid``
    """
    if not instance.var.exists() and not embedded.is_embedded(settings) and instance.omerodir.is_dir():
        files.make_directory(instance.var, mode=_PRIVATE)


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
    try:
        present, is_directory = path.exists(), path.is_dir()
    except OSError:
        # A directory above it is closed to this account.
        present, is_directory = True, True
    if not is_directory:
        raise configuration_error(
            "directory-missing",
            f"the {what} {path} is missing" if not present else f"the {what} {path} is not a directory",
            "mount or restore it, correct the setting, or make an instance: omero install --help",
        )
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise _not_writable(path, what)
    _check_space(path, what)


def _check_space(path: Path, what: str) -> None:
    """A small file can be written; permissions alone don't tell of quotas and full disks."""
    try:
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(bytes(_PROBE))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise configuration_error(
                "disk-full", f"the {what} {path} has no room left: {error.strerror}", f"make room; see: df -h {path}"
            ) from error
        raise _not_writable(path, what) from error


def _not_writable(path: Path, what: str) -> AdminError:
    user = pwd.getpwuid(os.geteuid()).pw_name
    return configuration_error(
        "directory-not-writable",
        f"the {what} {path} is not writable for {user}",
        f"check owner and mode: ls -ld {path}",
    )


def check_repository(instance: Instance, settings: Settings) -> None:
    """The repository is where the settings say: not half moved, nor on a disk that isn't mounted.

    :raises AdminError: ``half-moved``, ``disk-not-mounted``, ``setting-invalid``, ``file-not-read``
    """
    note = moving.read_note(instance.var / moving.NOTE_NAME)
    places = {"omero.data.dir": settings.data_directory, "omero.managed.dir": settings.managed_repository}
    if note is not None and (problem := moving.half_moved(note, places[note.property].absolute())) is not None:
        raise problem
    for name, place in places.items():
        missing = mounts.unmounted(place)
        if missing is not None and not has_markers(place):
            raise configuration_error(
                "disk-not-mounted",
                f"{name} is {place}, but {missing} isn't mounted, and there is no repository",
                f"mount {missing}",
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
    """The certificate that OMERO.Glacier2 shows is there, can be opened, and is valid today.

    :raises AdminError: ``certificate-missing``, ``certificate-unreadable``, ``certificate-password``,
        ``certificate-expired``
    """
    name = settings.text(f"{_ICESSL}.CertFile").strip()
    directory = settings.text(f"{_ICESSL}.DefaultDir").strip()
    if not name:
        raise configuration_error(
            "certificate-missing", f"{_ICESSL}.CertFile is not set: there is no certificate", "omero certificates"
        )
    path = Path(directory) / name
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise configuration_error(
            "certificate-missing", f"the certificate {path} ({_ICESSL}.CertFile) is missing", "omero certificates"
        ) from None
    except OSError as error:
        raise configuration_error(
            "certificate-unreadable",
            f"the certificate {path} ({_ICESSL}.CertFile) can't be read: {error.strerror}",
            f"give it to the account of the servers: ls -l {path}",
        ) from error
    password = settings.text(f"{_ICESSL}.Password")
    found = read_bundle(content, password)
    if found is not None or password:
        _check_bundle(path, found)


def _check_bundle(path: Path, found: CertificateDetails | None) -> None:
    now = clock.utc_now()
    if found is None:
        raise configuration_error(
            "certificate-password",
            f"the certificate {path} can't be opened with {_ICESSL}.Password: that is wrong, or the file is damaged",
            f"omero config set {_ICESSL}.Password PASSWORD, or make it anew: omero certificates",
        )
    mend = "omero certificates" if found.is_self_signed else f"get a new one from its issuer, and put it at {path}"
    if found.not_after <= now:
        raise configuration_error(
            "certificate-expired", f"the certificate {path} ended on {clock.utc_stamp(found.not_after)}", mend
        )
    if found.not_before > now:
        raise configuration_error(
            "certificate-expired",
            f"the certificate {path} is not valid before {clock.utc_stamp(found.not_before)}",
            "set this machine's clock: timedatectl",
        )


def check_memory(instance: Instance) -> str | None:
    """No single heap is larger than the machine.

    :return: a warning where all heaps together are
    :raises AdminError: ``heap-too-large``, ``setting-invalid``
    """
    report = memory_report(instance)
    present = dict(report.servers)
    for memory in report.services:
        if present[memory.service] and memory.heap.bytes // _MEGABYTE > report.machine.megabytes:
            raise configuration_error(
                "heap-too-large",
                f"{memory.service} may use a heap of {memory.heap.size}, but this machine has only"
                f" {report.machine.megabytes} MB",
                f"omero config set omero.jvmcfg.heap_size.{memory.service} SIZE; see omero admin jvmcfg --explain",
            )
    return report.warning


def advice(settings: Settings) -> tuple[str, ...]:
    """What OMERO's admins are reminded of at each start."""
    if settings.is_set("omero.db.poolsize"):
        return ()
    return (
        "WARNING: Your server has not been configured for production use.",
        "  -> omero config set omero.db.poolsize 50 (with PostgreSQL's max_connections above it)",
    )


def warnings(instance: Instance, settings: Settings) -> tuple[str, ...]:
    """What is unsafe though it works.

    :raises AdminError: ``heap-too-large``, ``setting-invalid``
    """
    lines = []
    crowded = check_memory(instance)
    if crowded is not None:
        lines.append(f"WARNING: {crowded}")
    if instance.is_distribution:
        lines.append("The servers of a distribution are Java programs: that they are ready is IceGrid's word alone.")
    protocols = {word.strip().upper() for word in settings.text(f"{_ICESSL}.Protocols").split(",")}
    old = sorted(protocols & _OLD_PROTOCOLS)
    if old:
        lines += [
            f"WARNING: {_ICESSL}.Protocols allows {', '.join(old)}, which are no longer safe and are not served.",
            f"  -> omero config set {_ICESSL}.Protocols TLS1_2,TLS1_3",
        ]
    return tuple(lines)

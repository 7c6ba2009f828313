"""Makes an instance: what is there and what was wished become one plan across all domains."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.certificates import facts as certificate_facts
from omeroadmin.certificates.plan import CertificateWish, plan_certificates
from omeroadmin.database.plan import DatabaseWish, database_facts, plan_database
from omeroadmin.errors import configuration_error, usage_error
from omeroadmin.profiles.plan import plan_properties
from omeroadmin.profiles.store import read_profile
from omeroadmin.provisioning.operations.catalog import complete
from omeroadmin.repository.layout import inspect_data_directories, plan_data_directories, plan_scripts
from omeroadmin.resources import templates_directory
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.kinds import MakeDirectory
from omeroadmin.steps.plan import Plan, Step
from omeroadmin.system import files
from omeroadmin.system.host import Host
from omeroadmin.system.local import LocalHost
from omeroadmin.system.sockets import port_is_free
from omeroadmin.workflows.carry_out import plan_operations

POSTGRESQL_PORT = 5432
POOL_SIZE = "25"
"""Connections for each server: with all servers together below the 100 that PostgreSQL accepts by default."""
PRIVATE_MODE = 0o700


@dataclass(frozen=True)
class ExternalDatabase:
    """A database that others run; role and database exist already."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class InstallWish:
    """What was asked for.

    :param instance: where the instance is to be
    :param data_directory: ``omero.data.dir``
    :param database: ``None``: the one that the properties name already, else a PostgreSQL of the instance's own
    :param root_password_file: file with root's password; ``None``: one is generated
    :param ports_prefix: text put before the ports; ``None``: as configured
    :param embedded: whether it is a PostgreSQL of its own, whatever the properties say
    """

    instance: Instance
    data_directory: Path
    database: ExternalDatabase | None = None
    root_password_file: Path | None = None
    ports_prefix: str | None = None
    embedded: bool = False


@dataclass(frozen=True)
class InstallPlan:
    """The plan, and where root's password will be.

    :param root_password_file: file that holds it once the plan is carried out
    """

    plan: Plan
    root_password_file: Path


def plan_install(wish: InstallWish, host: Host | None = None) -> InstallPlan:
    """Look at what is there and plan the rest; for an instance that is complete the plan is empty.

    :raises AdminError: ``install-as-root``, ``password-file-invalid``, ``instance-is-distribution``, ``port-invalid``,
        and those of the domains
    """
    host = host or LocalHost()
    instance = wish.instance
    _refuse(wish)
    current = read_profile(instance.config_xml).values if instance.config_xml.exists() else {}
    properties = wanted_properties(wish, current)
    settings = Settings({**current, **properties})
    properties |= certificate_facts.missing_properties(settings)
    settings = Settings({**current, **properties})
    settings.port("ssl")
    password_file = wish.root_password_file or instance.root_password_file
    database = DatabaseWish(instance, settings, password_file)
    certificates = certificate_facts.collect_facts(settings, host)
    parts = (
        _directories(instance),
        plan_properties(current, properties, instance.config_xml, "install"),
        _root_password(wish),
        plan_data_directories(settings, inspect_data_directories(settings, host)),
        _without_directories(plan_certificates(certificates, CertificateWish())),
        _maintenance_page(instance),
        plan_scripts(instance.scripts_directory, templates_directory() / "scripts", host),
        plan_database(database_facts(instance, settings), database),
    )
    steps = tuple(step for part in parts for step in part.steps)
    return InstallPlan(
        Plan(f"install OMERO in {instance.omerodir}, data in {wish.data_directory}", steps), password_file
    )


def read_external_database(host: str, port: int, name: str, user: str, password_file: Path | None) -> ExternalDatabase:
    """An external database with the password from its file.

    :raises AdminError: ``password-file-needed``, ``file-not-read``
    """
    if password_file is None:
        raise usage_error(
            "password-file-needed",
            f"the password of role {user} at {host}:{port} is needed",
            "write it into a file of mode 0600 and add --db-password-file FILE",
        )
    return ExternalDatabase(host, port, name, user, files.read_text(password_file).strip())


def _refuse(wish: InstallWish) -> None:
    if wish.instance.is_distribution:
        raise configuration_error(
            "instance-is-distribution",
            f"{wish.instance.omerodir} holds a real OMERO.server, which has an installation of its own",
            "name another directory with --dir",
        )
    if os.geteuid() == 0:
        raise configuration_error(
            "install-as-root",
            "the instance belongs to the user who installs it, and no server runs as root",
            "runuser -u omero-server -- omero install ...",
        )
    password_file = wish.root_password_file
    if password_file is not None and not files.read_text(password_file).strip():
        raise usage_error("password-file-invalid", f"{password_file} holds no password", "write one line into it")


def wanted_properties(wish: InstallWish, current: Mapping[str, str]) -> dict[str, str]:
    """Properties that the wish comes to; what the profile has already and the wish leaves open stays.

    :raises AdminError: ``database-port-taken``
    """
    properties = {"omero.data.dir": str(wish.data_directory)}
    if "omero.db.poolsize" not in current:
        properties["omero.db.poolsize"] = POOL_SIZE
    if wish.ports_prefix is not None:
        properties["omero.ports.prefix"] = wish.ports_prefix
    if wish.database is not None:
        return properties | {
            "omero.db.embedded": "false",
            "omero.db.host": wish.database.host,
            "omero.db.port": str(wish.database.port),
            "omero.db.name": wish.database.name,
            "omero.db.user": wish.database.user,
            "omero.db.pass": wish.database.password,
        }
    if not wish.embedded and current.get("omero.db.embedded") == "false":
        return properties
    properties |= {"omero.db.embedded": "true", "omero.db.host": "127.0.0.1"}
    defaults = {"omero.db.name": "omero", "omero.db.user": "omero"}
    properties |= {name: value for name, value in defaults.items() if name not in current}
    if "omero.db.pass" not in current:
        properties["omero.db.pass"] = secrets.token_urlsafe(24)
    if "omero.db.port" not in current:
        properties["omero.db.port"] = str(free_database_port(wish.ports_prefix or ""))
    return properties


def free_database_port(prefix: str) -> int:
    """A port for the instance's own PostgreSQL: 5432 with the prefix, or the next free one above.

    :raises AdminError: ``database-port-taken``
    """
    text = f"{prefix}{POSTGRESQL_PORT}"
    first = int(text) if text.isdigit() and int(text) < 65000 else POSTGRESQL_PORT
    for port in range(first, first + 100):
        if port_is_free(port, "127.0.0.1"):
            return port
    raise configuration_error(
        "database-port-taken",
        f"the ports {first} to {first + 99} are all taken, and PostgreSQL needs one",
        "free one, or choose others with --ports-prefix",
    )


def _directories(instance: Instance) -> Plan:
    """The manual's modes: nobody else looks into etc and var. What is open there may be a site's own choice."""
    private = {"mode": f"{PRIVATE_MODE:04o}"}
    wanted: dict[Path, dict[str, str]] = {
        instance.omerodir: {},
        instance.etc: private,
        instance.grid_directory: private,
        instance.error_pages.parent: {},
        instance.error_pages: {},
        instance.var: private,
        instance.log_directory: private,
        instance.temporary_directory: private,
        instance.run_directory: private,
        instance.scripts_directory.parent: {},
    }
    wishes = [complete("directory", path=str(path), **more) for path, more in wanted.items()]
    return plan_operations("directories", wishes)


def _root_password(wish: InstallWish) -> Plan:
    title, path = "password of user root", wish.instance.root_password_file
    if wish.root_password_file is not None or path.exists():
        return Plan(title)
    content = f"{secrets.token_urlsafe(18)}\n"
    mode = f"{files.SECRET_MODE:04o}"
    return plan_operations(title, [complete("file", path=str(path), content=content, mode=mode, secret=True)])


def _maintenance_page(instance: Instance) -> Plan:
    """nginx shows this page while OMERO.web is down; what a site made of it stays."""
    target = instance.error_pages / "maintainance.html"
    content = files.read_text(templates_directory() / "error" / "maintainance.html")
    return plan_operations("maintenance page", [complete("file", path=str(target), content=content, only_new=True)])


def _without_directories(plan: Plan) -> Plan:
    """The data directories are planned already, and the certificates' one is among them."""
    steps: list[Step] = [step for step in plan.steps if not isinstance(step, MakeDirectory)]
    return Plan(plan.title, tuple(steps))

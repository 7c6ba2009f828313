"""From what the database is to what it should be: facts, plan, steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, check_version, connect, schema_version
from omeroadmin.database.passwords import omero_hash, scrypt_hash
from omeroadmin.database.programs import Programs, find_programs
from omeroadmin.database.script import ROOT_USER_ID, SchemaVersion, database_script, schema_directory
from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.plan import Plan, Step
from omeroadmin.system import files
from omeroadmin.system.host import Host


@dataclass(frozen=True)
class DatabaseFacts:
    """What there is.

    :param address: what ``omero.db.*`` names
    :param programs: for the instance's own PostgreSQL; ``None``: an external one
    :param cluster_exists: whether the instance's own cluster was made
    :param running: whether the server takes connections
    :param database_exists: whether role and database are there; of a stopped cluster: as it was left
    :param schema: version of the schema; ``None``: an empty database
    """

    address: DatabaseAddress
    programs: Programs | None
    cluster_exists: bool
    running: bool
    database_exists: bool
    schema: SchemaVersion | None


@dataclass(frozen=True)
class DatabaseWish:
    """What there should be.

    :param instance: the instance
    :param settings: its properties in force
    :param root_password_file: password of user root, 0600, read when the schema is loaded; ``None``: the database
        stays empty, for a restore
    :param keep_running: whether a server that the plan starts goes on running
    """

    instance: Instance
    settings: Settings
    root_password_file: Path | None
    keep_running: bool = False


def database_facts(instance: Instance, settings: Settings) -> DatabaseFacts:
    """Look at the database; of an external one, whatever is wrong with it is an error.

    :raises AdminError: ``postgresql-missing``, ``database-as-root``, and for an external database as
        :func:`omeroadmin.database.connection.connect`
    """
    address = DatabaseAddress.from_settings(settings)
    if not embedded.is_embedded(settings):
        with connect(address) as connection:
            return DatabaseFacts(address, None, True, True, True, schema_version(connection))
    cluster = embedded.cluster_of(instance)
    programs = find_programs(settings, cluster=cluster.data)
    if not embedded.status(instance).running:
        left = _read_mark(instance)
        return DatabaseFacts(address, programs, cluster.exists, False, left is not None, left)
    try:
        with connect(address) as connection:
            return DatabaseFacts(address, programs, True, True, True, schema_version(connection))
    except AdminError as error:
        if error.code not in ("database-password", "database-role", "database-missing"):
            raise
        return DatabaseFacts(address, programs, True, True, False, None)


def plan_database(facts: DatabaseFacts, wish: DatabaseWish) -> Plan:
    """The steps from facts to wish; none where the database is ready.

    :raises AdminError: ``database-version`` where the database has another schema
    """
    version = SchemaVersion.from_settings(wish.settings)
    if facts.schema is not None and facts.schema != version:
        raise configuration_error(
            "database-version",
            f"DB version ({facts.schema}) does not match the configured value ({version}). Please apply a db upgrade.",
            "omero db upgrade --dry-run",
        )
    steps: list[Step] = []
    if facts.programs is not None and not facts.cluster_exists:
        steps.append(InitialiseCluster(wish.instance, wish.settings, str(facts.programs)))
    if facts.programs is not None and not facts.database_exists:
        steps.append(CreateDatabase(wish.instance, wish.settings, facts.address))
    if wish.root_password_file is not None and facts.schema is None:
        load = LoadSchema(wish.instance, wish.settings, facts.address, version, wish.root_password_file)
        steps.append(load)
    needs_server = any(not isinstance(step, InitialiseCluster) for step in steps)
    if facts.programs is not None and not facts.running and needs_server:
        start: list[Step] = [StartCluster(wish.instance, wish.settings, facts.address.port)]
        position = 1 if not facts.cluster_exists else 0
        steps[position:position] = start
        if not wish.keep_running:
            steps.append(StopCluster(wish.instance, wish.settings))
    return Plan(f"initialise the database {facts.address}", tuple(steps))


@dataclass(frozen=True)
class InitialiseCluster:
    """Make the instance's own PostgreSQL cluster."""

    instance: Instance
    settings: Settings = field(repr=False)
    programs: str

    def describe(self) -> str:
        """One line for the plan."""
        return f"initialise a PostgreSQL cluster in {self.instance.embedded_database} ({self.programs})"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - a cluster is made where this runs
        """Make the change."""
        embedded.initialise(self.instance, self.settings)


@dataclass(frozen=True)
class StartCluster:
    """Start the instance's own PostgreSQL."""

    instance: Instance
    settings: Settings = field(repr=False)
    port: int

    def describe(self) -> str:
        """One line for the plan."""
        return f"start PostgreSQL on 127.0.0.1:{self.port}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - a cluster is started where this runs
        """Make the change."""
        embedded.start(self.instance, self.settings)


@dataclass(frozen=True)
class StopCluster:
    """Stop the instance's own PostgreSQL."""

    instance: Instance
    settings: Settings = field(repr=False)

    def describe(self) -> str:
        """One line for the plan."""
        return "stop PostgreSQL until the server is started"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - a cluster is stopped where this runs
        """Make the change."""
        embedded.stop(self.instance, self.settings)


@dataclass(frozen=True)
class CreateDatabase:
    """Create role and database in the instance's own PostgreSQL."""

    instance: Instance
    settings: Settings = field(repr=False)
    address: DatabaseAddress

    def describe(self) -> str:
        """One line for the plan."""
        return f"create the role {self.address.user} and the database {self.address.name}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - reached by its address
        """Make the change."""
        embedded.create_database(embedded.superuser_address(self.instance, self.settings), self.address)


@dataclass(frozen=True)
class LoadSchema:
    """Load OMERO's tables and first rows into an empty database."""

    instance: Instance
    settings: Settings = field(repr=False)
    address: DatabaseAddress
    version: SchemaVersion
    root_password_file: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"load the schema {self.version} into {self.address}, root's password from {self.root_password_file}"

    def apply(self, host: Host) -> None:
        """Make the change; a database that has the schema already is left alone.

        :raises AdminError: ``password-empty``, ``schema-not-loaded``
        """
        password = _first_line(self.root_password_file, host.read(self.root_password_file))
        load_schema(self.instance, self.address, self.version, password)
        mark_schema(self.instance, self.settings, self.version)


def load_schema(instance: Instance, address: DatabaseAddress, version: SchemaVersion, root_password: str) -> None:
    """Load the schema in one transaction; a database that has it already is left alone.

    :param root_password: of the server's user root
    :raises AdminError: ``schema-not-loaded``, ``schema-unknown``, ``database-version``, and as
        :func:`omeroadmin.database.connection.connect`
    """
    import psycopg

    # A distribution's server knows OMERO's hash only; the reference server takes one that is hard to guess.
    hashed = omero_hash(ROOT_USER_ID, root_password) if instance.is_distribution else scrypt_hash(root_password)
    script = database_script(hashed, version=version, directory=schema_directory(instance, version))
    with connect(address, autocommit=True) as connection:
        if schema_version(connection) is None:
            try:
                connection.execute(script.encode())
            except psycopg.Error as error:
                words = str(error).strip().splitlines()[:1]
                raise failed_error(
                    "schema-not-loaded",
                    f"the schema {version} could not be loaded into {address}: {''.join(words)}",
                    "nothing was kept of it; the database must be empty, UTF8, and its role the owner",
                ) from error
        check_version(connection, version)


def require_password_file(path: Path) -> None:
    """Make sure, before anything is changed, that a file holds the password of user root.

    :raises AdminError: ``password-needed``, ``password-empty``, ``file-not-read``
    """
    if not path.is_file():
        raise configuration_error(
            "password-needed",
            f"the password of user root is needed, and {path} is no file",
            "write it there, mode 0600, or name another file: --password-file FILE",
        )
    _first_line(path, files.read_named(path))


def _first_line(path: Path, content: bytes) -> str:
    password = content.decode("utf-8", "replace").partition("\n")[0].rstrip("\r")
    if not password:
        raise configuration_error(
            "password-empty", f"{path} holds no password", "write the password of user root into its first line"
        )
    return password


def _mark(instance: Instance) -> Path:
    return instance.embedded_database / "schema_version"


def mark_schema(instance: Instance, settings: Settings, version: SchemaVersion) -> None:
    """Note which schema the instance's own cluster holds, for those who look while it is stopped.

    :raises AdminError: ``file-not-written``
    """
    if embedded.is_embedded(settings):
        files.write_atomically(_mark(instance), f"{version}\n", mode=files.SECRET_MODE)


def _read_mark(instance: Instance) -> SchemaVersion | None:
    if not _mark(instance).is_file():
        return None
    version, _, patch = files.read_text(_mark(instance)).strip().rpartition("__")
    return SchemaVersion(version, int(patch)) if version and patch.isdigit() else None

"""The database as a dump has it, in place of whatever is there: the way back from an upgrade."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.database.connection import DatabaseAddress, connect, schema_version
from omeroadmin.database.dump import restore
from omeroadmin.database.plan import mark_schema
from omeroadmin.database.programs import Programs
from omeroadmin.database.upgrade import be_alone
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.host import Host


@dataclass(frozen=True)
class ReplaceContents:
    """Drop all that the role has in the database, and restore a dump into it."""

    instance: Instance
    settings: Settings = field(repr=False)
    address: DatabaseAddress
    programs: Programs
    directory: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"replace all that is in the database {self.address} by the dump {self.directory}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - reached by its address
        """Make the change.

        :raises AdminError: ``database-in-use``, and as :func:`omeroadmin.database.dump.restore`
        """
        with connect(self.address, autocommit=True) as connection:
            be_alone(connection, self.address)
            connection.execute("DROP OWNED BY CURRENT_USER CASCADE")
            restore(self.address, self.programs, self.directory)
            version = schema_version(connection)
        if version is not None:
            mark_schema(self.instance, self.settings, version)

"""Everything that is done with files as such, made once at the start of a Blitz."""

from __future__ import annotations

from omeroadmin.repository.path_rules import parse_path_rules
from omeroadmin.runtime.services.blitz.database import Database
from omeroadmin.runtime.services.blitz.services.filestore.checks import Checks
from omeroadmin.runtime.services.blitz.services.filestore.directories import Directories
from omeroadmin.runtime.services.blitz.services.filestore.importlogs import ImportLogs
from omeroadmin.runtime.services.blitz.services.filestore.importtimes import ImportTimes
from omeroadmin.runtime.services.blitz.services.filestore.listing import Listing
from omeroadmin.runtime.services.blitz.services.filestore.places import Places
from omeroadmin.runtime.services.blitz.services.filestore.received import Received
from omeroadmin.runtime.services.blitz.services.filestore.usage import Usage
from omeroadmin.runtime.services.blitz.services.repositories import Repositories
from omeroadmin.schema.settings import Settings


class FileStore:
    """The services of files.

    :param settings: ``omero.data.dir``
    """

    def __init__(self, database: Database, settings: Settings, repositories: Repositories, server_id: str) -> None:
        self.places = Places(settings.data_directory, repositories)
        self.listing = Listing(database, settings.data_directory)
        self.checks = Checks(database, self.places)
        self.logs = ImportLogs(database)
        self.times = ImportTimes(database)
        self.usage = Usage(database, settings.data_directory)
        rules = parse_path_rules(settings.text("omero.fs.repo.path_rules"))
        self.directories = Directories(database, repositories.managed, rules)
        self.received = Received(database, settings.data_directory, server_id)

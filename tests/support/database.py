"""A real PostgreSQL for tests, run by the code under test: an instance with its own cluster on a free port.

The fixtures ``embedded_instance`` and ``shared_instance`` are there for every test, by way of ``tests/conftest.py``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress
from omeroadmin.database.plan import DatabaseWish, database_facts, plan_database
from omeroadmin.database.programs import Programs, installed_programs
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost
from tests.support.ports import free_port

ROOT_PASSWORD = "correct horse"
DATABASE_PASSWORD = "pass:with\\odd 'characters'"


@dataclass(frozen=True)
class DatabaseUnderTest:
    """An instance whose cluster runs.

    :param instance: below a temporary directory
    :param settings: ``omero.db.*`` and the data directory set
    """

    instance: Instance
    settings: Settings

    @property
    def address(self) -> DatabaseAddress:
        """The database ``omero``, as the server's role."""
        return DatabaseAddress.from_settings(self.settings)

    @property
    def superuser(self) -> DatabaseAddress:
        """The same cluster as its superuser."""
        return embedded.superuser_address(self.instance, self.settings)


def make_instance(directory: Path, **settings: str) -> DatabaseUnderTest:
    """An instance with nothing but directories, and settings for a cluster of its own that doesn't exist yet.

    :param settings: more properties, dots written as two underscores (``omero__db__name``)
    """
    instance = Instance(directory / "OMERO.server")
    for path in (instance.grid_directory, instance.log_directory, instance.temporary_directory, instance.run_directory):
        path.mkdir(parents=True, exist_ok=True)
    instance.root_password_file.write_text(ROOT_PASSWORD + "\n")
    instance.root_password_file.chmod(0o600)
    data = directory / "OMERO"
    data.mkdir(exist_ok=True)
    values = {
        "omero.data.dir": str(data),
        "omero.db.embedded": "true",
        "omero.db.host": "127.0.0.1",
        "omero.db.port": str(free_port()),
        "omero.db.name": "omero",
        "omero.db.user": "omero",
        "omero.db.pass": DATABASE_PASSWORD,
    }
    values |= {name.replace("__", "."): value for name, value in settings.items()}
    return DatabaseUnderTest(instance, Settings(values))


@contextlib.contextmanager
def running_database(directory: Path, *, schema: bool = True, **settings: str) -> Iterator[DatabaseUnderTest]:
    """An instance with a running cluster, stopped at the end.

    :param schema: whether OMERO's schema is loaded; root's password is :data:`ROOT_PASSWORD`
    """
    if os.geteuid() == 0:
        pytest.skip("PostgreSQL does not run as root")
    made = make_instance(directory, **settings)
    password_file = made.instance.root_password_file if schema else None
    wish = DatabaseWish(made.instance, made.settings, password_file, keep_running=True)
    apply_plan(plan_database(database_facts(made.instance, made.settings), wish), LocalHost())
    try:
        yield made
    finally:
        embedded.stop(made.instance, made.settings)


@pytest.fixture
def embedded_instance(tmp_path: Path) -> Iterator[DatabaseUnderTest]:
    """A cluster of its own for one test (about 3 seconds)."""
    with running_database(tmp_path) as made:
        yield made


@pytest.fixture(scope="session")
def shared_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseUnderTest]:
    """One cluster for all tests that only add rows, or roll back what they do."""
    with running_database(tmp_path_factory.mktemp("shared-database")) as made:
        yield made


def all_programs() -> list[Programs]:
    """Every PostgreSQL installed here, for parametrised tests."""
    return installed_programs()


def programs_name(programs: Programs) -> str:
    """Name of a parametrised test."""
    return f"postgresql-{programs.major}"

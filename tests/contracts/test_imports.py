"""Commands load no heavy library that they don't need; the cold start is what users feel."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.profiles.store import update_profile
from tests.support.profiles import config_file, omero

HEAVY = {
    "asyncio",
    "cryptography",
    "fastjsonschema",
    "h11",
    "importlib.metadata",
    "jinja2",
    "lxml",
    "paramiko",
    "prometheus_client",
    "psutil",
    "psycopg",
    "pydantic",
    "pyvips",
    "rich",
    "starlette",
    "tantivy",
    "tifffile",
    "uvicorn",
    "watchdog",
    "yaml",
    "zstandard",
}
SPY = """
import sys
before = set(sys.modules)  # what the interpreter itself, or a coverage hook, has loaded
from omeroadmin.cli.quick import run
status = run(sys.argv[1:])
print("MODULES", *(set(sys.modules) - before), file=sys.stderr)
sys.exit(status)
"""


def loaded(config_xml: Path, arguments: tuple[str, ...]) -> set[str]:
    """Modules that a successful command has loaded."""
    done = omero(config_xml, *arguments, program=SPY, input_text="")
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].removeprefix("MODULES ").split())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config.xml with a secret."""
    file = config_file(tmp_path)
    update_profile(file, {"omero.db.pass": "x", "omero.db.host": "y"}, profile="default")
    return file


@pytest.mark.parametrize(
    "command",
    [
        "version",
        "config get",
        "config get omero.db.host",
        "config get --show-password a b",
        "config def",
        "config path",
        "config keys",
        "config all",
        "config version",
        "config set omero.db.host z",
        "config set omero.db.port 5432 --report",
        "config set omero.db.host",
    ],
)
def test_quick_commands_load_not_even_typer(file: Path, command: str) -> None:
    modules = loaded(file, tuple(command.split()))
    assert "omeroadmin.cli.quick" in modules
    assert modules & (HEAVY | {"typer", "subprocess", "logging"}) == set()


def test_a_plain_get_loads_next_to_nothing(file: Path) -> None:
    modules = loaded(file, ("config", "get", "omero.db.host"))
    assert modules & {"dataclasses", "enum", "inspect", "pathlib", "re", "typing"} == set()


@pytest.mark.parametrize(
    "command",
    [
        "config set omero.db.host z --wait 1",
        "config set omero.db.port 5432 --force",
        "config describe omero.db.port",
        "config search session timeout",
        "config parse --keys",
        "config set -- omero.db.host",
        "config load",
        "config apply --from-env",
        "config export",
        "config export --format commands",
        "config def ldap",
        "config get -- omero.db.host",
        "--help",
        "config --help",
        "config set --help",
    ],
)
def test_local_commands_load_nothing_but_typer(file: Path, command: str) -> None:
    modules = loaded(file, tuple(command.split()))
    assert "typer" in modules
    assert modules & HEAVY == set()

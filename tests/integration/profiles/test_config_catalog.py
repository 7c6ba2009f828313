"""`omero config describe`, `search`, `parse` and the shell's completion, through `omero` itself."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from omeroadmin.profiles.store import update_profile
from omeroadmin.schema.catalog import settings
from tests.support.profiles import config_file, environment, omero

ROOT = Path(__file__).resolve().parents[3]
FORMS = ("--defaults", "--keys", "--headers", "--rst", "--json", "--schema")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config.xml with a secret and a wrong value."""
    file = config_file(tmp_path)
    values = {"omero.db.pass": "s3cret", "omero.data.dir": "/data", "omero.web.prefix": "/omero"}
    update_profile(file, values, profile="default")
    return file


def out(file: Path, *arguments: str, **extra: str) -> str:
    """Stdout of a command that must succeed."""
    done = omero(file, "config", *arguments, **extra)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_describe_says_what_is_in_force(file: Path) -> None:
    lines = out(file, "describe", "omero.managed.dir", "omero.data.dir").splitlines()
    assert lines[0] == "omero.managed.dir"
    assert "  default   ${omero.data.dir}/ManagedRepository" in lines
    assert "  value     /data/ManagedRepository (the default)" in lines
    assert "  value     /data (set)" in lines
    assert "" in lines
    assert max(map(len, lines)) < 120


def test_describe_hides_secrets(file: Path) -> None:
    for arguments in (["omero.db.pass"], ["omero.db.pass", "--json"]):
        text = out(file, "describe", *arguments)
        assert "s3cret" not in text
        assert "********" in text


def test_describe_needs_no_instance(file: Path) -> None:
    text = out(file, "describe", "omero.db.port", OMERODIR="")
    assert "a port number from 1 to 65535" in text


def test_describe_as_json(file: Path) -> None:
    document = json.loads(out(file, "describe", "omero.data.dir", "omero.threads.min_threads.blitz", "--json"))
    assert document["schema"] == "omeroadmin/config/describe/1"
    data, threads = document["properties"]
    assert (data["value"], data["in_force"], data["kind"]) == ("/data", "/data", "path")
    assert (threads["name"], threads["value"]) == ("omero.threads.min_threads.blitz", None)


def test_describe_knows_what_was_meant(file: Path) -> None:
    done = omero(file, "config", "describe", "omero.db.hots")
    assert (done.returncode, done.stdout) == (2, "")
    assert "omero config describe omero.db.host" in done.stderr


def test_search_lists_names_first(file: Path) -> None:
    lines = out(file, "search", "data", "DIR").splitlines()
    assert lines[0].split(" | ")[0].strip() == "name"
    assert lines[2].startswith(" omero.data.dir ")
    assert lines[2].split(" | ")[1].strip() == "yes"
    assert max(map(len, lines)) < 160
    document = json.loads(out(file, "search", "data", "dir", "--json"))
    assert document["search"][0]["name"] == "omero.data.dir"
    assert document["search"][0]["set"] is True


def test_search_may_find_nothing(file: Path) -> None:
    assert out(file, "search", "nonsense").endswith("(0 rows)\n")


def test_parse_lists_defaults(file: Path) -> None:
    text = out(file, "parse")
    assert text == out(file, "parse", "--defaults")
    lines = text.splitlines()
    assert lines == sorted(lines)
    assert len(lines) == len(settings())
    assert "omero.db.port=5432" in lines
    assert "omero.web.prefix=None" in lines
    assert not any(line.startswith("omero.web.") for line in out(file, "parse", "--no-web").splitlines())


def test_parse_counts_names_and_sections(file: Path) -> None:
    lines = out(file, "parse", "--keys").splitlines()
    assert "data (1)" in lines
    assert lines[lines.index("data (1)") + 1] == "\t dir"
    assert "Ice" not in "".join(line for line in lines if line.endswith(")"))
    headers = dict(line[:-1].split(" (") for line in out(file, "parse", "--headers").splitlines())
    assert headers["LDAP"] == "15"
    assert sum(map(int, headers.values())) == len(settings())
    assert list(headers) == sorted(headers, key=str.lower)


def test_parse_writes_a_page(file: Path) -> None:
    lines = out(file, "parse", "--rst").splitlines()
    at = lines.index("omero.db.port")
    assert lines[at - 2] == ".. _omero.db.port:"
    assert lines[at + 1] == "^" * len("omero.db.port")
    assert "Default: ``5432``" in lines
    assert "Default: [empty]" in lines


def test_parse_gives_everything_as_json(file: Path) -> None:
    items = {item["name"]: item for item in json.loads(out(file, "parse", "--json"))["properties"]}
    assert set(items) == set(settings())
    assert items["omero.db.pass"]["secret"] is True
    assert items["omero.db.port"]["takes"] == "a port number from 1 to 65535"


def test_parse_gives_the_schema_of_the_reference(file: Path) -> None:
    text = out(file, "parse", "--schema")
    Draft202012Validator.check_schema(json.loads(text))
    assert text == (ROOT / "docs" / "reference" / "configuration.schema.json").read_text("utf-8")


PROPERTIES = """\
##
# Where it is
omero.custom.place=/here,\\
/there
omero.db.new=
# DEVELOPMENT only
omero.custom.x=`1`
### END
omero.custom.y=2
"""


def test_parse_reads_a_file(file: Path, tmp_path: Path) -> None:
    given = tmp_path / "omero.properties"
    given.write_text(PROPERTIES)
    arguments = ("parse", "--no-web", "-f", str(given))
    assert out(file, *arguments).splitlines() == [
        "omero.custom.place=/here,/there",
        "omero.custom.x=`1`",
        "omero.db.new=",
    ]
    assert out(file, *arguments, "--keys").splitlines() == ["custom (2)", "\t place", "\t x", "db (1)", "\t new"]
    assert out(file, *arguments, "--headers").splitlines() == ["Custom (2)", "Database (1)"]
    page = out(file, *arguments, "--rst")
    assert "Where it is\n\nDefault: ``/here,/there``" in page
    assert "omero.custom.x" not in page
    (first, *_) = json.loads(out(file, *arguments, "--json"))["properties"]
    assert (first["name"], first["takes"], first["description"]) == ("omero.custom.place", None, "Where it is")
    web = {name for name in settings() if name.startswith("omero.web.")}
    assert len(out(file, "parse", "-f", str(given)).splitlines()) == 3 + len(web)


def test_parse_reads_stdin(file: Path) -> None:
    done = omero(file, "config", "parse", "--no-web", "-f", "-", input_text="omero.x=1\n")
    assert done.stdout == "omero.x=1\n"
    done = omero(file, "config", "parse", "-f", "-", input_text="nonsense\n")
    assert done.returncode == 3
    assert "stdin, line 1: 'nonsense'" in done.stderr


@pytest.mark.parametrize("second", FORMS[1:])
def test_parse_has_one_form_at_a_time(file: Path, second: str) -> None:
    done = omero(file, "config", "parse", "--defaults", second)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == f"omero: --defaults and {second} exclude each other"


@pytest.mark.parametrize("other", [("-f", "-"), ("--no-web",)])
def test_parse_has_a_schema_of_the_whole_alone(file: Path, other: tuple[str, ...]) -> None:
    done = omero(file, "config", "parse", "--schema", *other)
    assert (done.returncode, done.stdout) == (2, "")


def complete(file: Path, typed: str) -> list[str]:
    """What bash would offer for the last word of a line."""
    number = len(typed.split()) - (not typed.endswith(" "))
    done = omero(file, _OMERO_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=str(number))
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("omero config descr", {"describe"}),
        ("omero config get omero.db.po", {"omero.db.port", "omero.db.poolsize"}),
        ("omero config get omero.db.host omero.db.n", {"omero.db.name"}),
        ("omero config describe omero.threads.min_threads.i", {"omero.threads.min_threads.indexer"}),
        ("omero config set --report omero.ldap.ur", {"omero.ldap.urls"}),
        ("omero config set omero.db.statistics ", {"true", "false"}),
        ("omero config set omero.jvmcfg.strategy m", {"manual"}),
        ("omero config set omero.data.dir ", set()),
        ("omero config set nonsense ", set()),
        ("omero config append omero.web.ap", {"omero.web.apps"}),
        ("omero config remove omero.db.", set()),
    ],
)
def test_completion(file: Path, typed: str, offered: set[str]) -> None:
    assert set(complete(file, typed)) == offered


def test_completion_needs_no_instance(tmp_path: Path) -> None:
    assert "omero.db.host" in complete(config_file(tmp_path), "omero config get omero.db.h")


HEAVY = """
import sys
from omeroadmin.cli.quick import run
try:
    run([])
finally:
    print(*sys.modules, file=sys.stderr)
"""


def test_completion_loads_nothing_heavy(file: Path) -> None:
    done = omero(
        file, program=HEAVY, _OMERO_COMPLETE="complete_bash", COMP_WORDS="omero config set omero.db.po", COMP_CWORD="3"
    )
    assert "omero.db.port" in done.stdout
    assert (
        set(done.stderr.split()) & {"lxml", "fastjsonschema", "psycopg", "jinja2", "asyncio", "cryptography"} == set()
    )


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_completion_is_installed_into_bash(file: Path) -> None:
    home = file.parents[3]
    program = f"{sys.executable} -m omeroadmin"
    # The shell that is the parent is the one that completion is for.
    shown = bash(file, f"{program} --show-completion; true")
    assert "_OMERO_COMPLETE=complete_bash" in shown
    bash(file, f"{program} --install-completion; true")
    scripts = [path for path in home.rglob("*") if path.is_file() and "complete_bash" in path.read_text("utf-8")]
    assert len(scripts) == 1
    (home / "omero").write_text(f'#!/bin/sh\nexec {program} "$@"\n')
    (home / "omero").chmod(0o755)
    offered = bash(
        file,
        f"cd {ROOT}; PATH={home}:$PATH; . {scripts[0]}; COMP_WORDS=(omero config get omero.db.po); COMP_CWORD=3; "
        "_omero_completion omero; echo ${COMPREPLY[@]}",
    )
    assert set(offered.split()) == {"omero.db.port", "omero.db.poolsize"}


def bash(file: Path, command: str) -> str:
    """Stdout of a command in bash."""
    done = subprocess.run(
        ["bash", "--norc", "-c", command],
        env=environment(file), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout

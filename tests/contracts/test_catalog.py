"""The catalog knows every property of OMERO 5.6, and says of each what an admin needs to know."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.schema import catalog
from omeroadmin.schema.catalog import find_setting, is_secret, settings
from omeroadmin.schema.grid_endpoint import FINGERPRINT, HOST, PORT, TOKEN
from omeroadmin.schema.kinds import Kind
from omeroadmin.schema.setting import Setting
from omeroadmin.schema.validation import check_name, check_value
from omeroadmin.schema.values.check import problem_with

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "properties-5.6.tsv"
DECLARED = [setting for module in catalog._DECLARED for setting in module.SETTINGS]
READERS = frozenset({
    "OMERO.Glacier2", "OMERO.IceStorm", "Blitz", "Indexer", "PixelData", "Processor", "Tables",
    "FileServer", "MonitorServer", "DropBox", "TestDropBox", "OMERO.web", "nginx", "toolkit", "clients",
})  # fmt: skip
"""Who can read a property."""
SERVICES = frozenset({"blitz", "indexer", "pixeldata", "repository"})
UNITS_OF_TIME = frozenset({"ms", "seconds", "minutes", "hours", "days"})
SHORTEST = 25
"""Characters of a description that says something."""
READ = re.compile(
    r"""(?:\.(?:text|flag|number|path|is_set)\(\s*|[A-Z_]+ = )"((?:omero|Ice)\.[A-Za-z0-9_.]*[A-Za-z0-9_])\""""
)
"""A property that our own code reads, or a constant with the name of one."""
MENTIONED = re.compile(r"(?<![\w./@-])(?:omero|Ice)\.[a-zA-Z0-9_]+(?:\.[a-zA-Z0-9_]+)*")

each = pytest.mark.parametrize("setting", DECLARED, ids=lambda setting: setting.name)


def golden() -> dict[str, str]:
    lines = [line for line in GOLDEN.read_text("utf-8").splitlines() if not line.startswith("#")]
    return dict(line.split("\t") for line in lines)


def families() -> list[str]:
    """Beginnings that stand for many properties, such as ``omero.jvmcfg``."""
    return [name.rpartition(".")[0] for name in settings()]


def test_golden_file_is_whole() -> None:
    assert len(golden()) == 284
    assert GOLDEN.read_text("utf-8").startswith("# OMERO 5.6")


@pytest.mark.parametrize(("name", "default"), golden().items())
def test_every_property_of_omero_is_declared_with_its_default(name: str, default: str) -> None:
    setting = find_setting(name)
    assert setting is not None
    assert setting.name == name
    assert setting.default == default


def test_no_name_is_declared_twice() -> None:
    assert [name for name, count in Counter(setting.name for setting in DECLARED).items() if count > 1] == []


def test_no_two_properties_have_the_same_description() -> None:
    texts = Counter(" ".join(setting.description.split()).lower() for setting in DECLARED)
    assert [text for text, count in texts.items() if count > 1] == []


@each
def test_name_can_be_set(setting: Setting) -> None:
    check_name(setting.name)
    assert setting.section.strip()


@each
def test_description_says_something(setting: Setting) -> None:
    text = setting.description
    assert text == text.strip()
    assert len(text) >= SHORTEST
    assert text.endswith(".")
    assert not text.endswith("..")
    assert "  " not in text
    words = set(re.findall(r"[a-z]+", text.replace(setting.name, "").lower()))
    assert len(words) > len(words & set(re.split(r"[._]", setting.name.lower()))) + 3, "says no more than the name"


@each
def test_description_names_only_properties_that_exist(setting: Setting) -> None:
    texts = (setting.description, setting.obsolete)
    names = {found.rstrip(".") for text in texts for found in MENTIONED.findall(text.replace("*", "NAME"))}
    known = {name for name in names if find_setting(name) is not None or name.endswith(".NAME")}
    assert names - known - set(families()) == set()


@each
def test_readers_are_named(setting: Setting) -> None:
    assert setting.affects or setting.obsolete
    assert set(setting.affects) <= READERS
    assert len(set(setting.affects)) == len(setting.affects)
    assert set(setting.services) <= SERVICES
    if setting.obsolete:
        assert setting.obsolete.startswith(("does nothing", "replaced by"))
        assert not setting.obsolete.endswith("."), "it follows the name in a line of its own"


@each
def test_default_and_example_are_values(setting: Setting) -> None:
    if setting.default and not setting.has_no_default:
        assert problem_with(setting.type, setting.default) is None
    else:
        assert setting.has_no_default or problem_with(setting.type, "") is None, "the default itself can't be set"
        assert setting.example or setting.is_secret, "an empty default shows nobody what a value looks like"
    if setting.example:
        assert problem_with(setting.type, setting.example) is None
        assert setting.example != setting.default
    assert not (setting.kind is Kind.SECRET and setting.example), "an example of a secret gets used"


@each
def test_settings_take_their_default_and_example(setting: Setting) -> None:
    default = "" if setting.has_no_default else setting.default
    for value in filter(None, (default, setting.example)):
        check_value(setting.name, value)


@each
def test_numbers_have_limits_and_units(setting: Setting) -> None:
    value_type = setting.type
    match value_type.kind:
        case Kind.PORT:
            assert (value_type.minimum, value_type.maximum) == (1, 65535)
        case Kind.DURATION:
            assert value_type.unit in UNITS_OF_TIME
        case Kind.BYTES:
            assert value_type.minimum is not None
            assert value_type.unit
        case Kind.INT:
            assert value_type.minimum is not None
            with pytest.raises(AdminError):
                check_value(setting.name, str(value_type.minimum - 1))
        case Kind.ENUM:
            assert len(value_type.choices) > 1
            assert len(set(value_type.choices)) == len(value_type.choices)
    if value_type.kind in (Kind.INT, Kind.DURATION, Kind.BYTES, Kind.PORT):
        with pytest.raises(AdminError):
            check_value(setting.name, "many")


@each
def test_what_sounds_secret_is_secret(setting: Setting) -> None:
    # Three switches are about passwords, and a class gives them; neither is one.
    about = {
        "omero.backup.password_file",
        "omero.security.password_provider",
        "omero.security.password_required",
        "omero.web.show_forgot_password",
    }
    sounds = re.search(r"pass(word)?$|secret|password", setting.name, re.IGNORECASE) is not None
    assert is_secret(setting.name) is (setting.holds_secrets or (sounds and setting.name not in about))


def test_a_service_may_have_its_own_memory_settings() -> None:
    for key in ("percent", "heap_size", "strategy", "append", "heap_dump", "system_memory"):
        for service in SERVICES:
            found = find_setting(f"omero.jvmcfg.{key}.{service}")
            assert found is not None
            assert found.name == f"omero.jvmcfg.{key}"
        assert find_setting(f"omero.jvmcfg.{key}.tables") is None


def test_whatever_our_code_reads_is_declared() -> None:
    read = {
        name
        for path in (ROOT / "omeroadmin").rglob("*.py")
        if "declared" not in path.parts
        for name in READ.findall(path.read_text("utf-8"))
    }
    others = {"omero.config.profile", "omero.config.version", "omero.conf"}  # of config.xml itself; a file
    others |= {HOST, PORT, FINGERPRINT, TOKEN}  # handed from rewrite to the servers; nobody sets them
    assert len(read) > 30
    assert {name for name in read - others - set(families()) if find_setting(name) is None} == set()

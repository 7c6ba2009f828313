"""The memory of each service, from settings and machine."""

from __future__ import annotations

import tempfile

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.memory.strategies import memory_options, service_memory
from omeroadmin.schema.settings import Settings


def heaps(values: dict[str, str], megabytes: int = 16000) -> dict[str, str]:
    return {service: options[0] for service, options in memory_options(Settings(values), megabytes).items()}


def test_shares_of_the_machine() -> None:
    assert heaps({}) == {
        "blitz": "-Xmx2400m",
        "indexer": "-Xmx1600m",
        "pixeldata": "-Xmx2400m",
        "repository": "-Xmx1600m",
    }


@pytest.mark.parametrize(("megabytes", "blitz"), [(1000, "-Xmx512m"), (3414, "-Xmx512m"), (200000, "-Xmx7200m")])
def test_machine_is_seen_within_limits(megabytes: int, blitz: str) -> None:
    assert heaps({}, megabytes)["blitz"] == blitz


@pytest.mark.parametrize(
    ("values", "blitz", "indexer"),
    [
        ({"percent": "50"}, "-Xmx8000m", "-Xmx8000m"),
        ({"percent.blitz": "50"}, "-Xmx8000m", "-Xmx1600m"),
        ({"system_memory": "24000"}, "-Xmx3600m", "-Xmx2400m"),
        ({"max_system_memory": "10000"}, "-Xmx1500m", "-Xmx1000m"),
        ({"min_system_memory": "20000"}, "-Xmx3000m", "-Xmx2000m"),
        ({"strategy": "manual"}, "-Xmx512m", "-Xmx512m"),
        ({"strategy.indexer": "manual", "heap_size.indexer": "2000"}, "-Xmx2400m", "-Xmx2000m"),
        ({"heap_size": "4G", "percent": "90"}, "-Xmx4G", "-Xmx4G"),
        ({"heap_size": "1500", "strategy": "manual"}, "-Xmx1500m", "-Xmx1500m"),
        ({"heap_size": "", "percent": "", "percent.blitz": "20"}, "-Xmx3200m", "-Xmx1600m"),
        ({"system_memory.blitz": "4000", "max_system_memory.indexer": "5000"}, "-Xmx600m", "-Xmx500m"),
        ({"strategy": "manual", "strategy.blitz": "percent"}, "-Xmx2400m", "-Xmx512m"),
        ({"percent": "100", "percent.indexer": "1"}, "-Xmx16000m", "-Xmx160m"),
    ],
)
def test_settings(values: dict[str, str], blitz: str, indexer: str) -> None:
    found = heaps({f"omero.jvmcfg.{name}": value for name, value in values.items()})
    assert (found["blitz"], found["indexer"]) == (blitz, indexer)


def test_more_options() -> None:
    values = {
        "omero.jvmcfg.append": "-XX:-PrintGC '-Da=b c'",
        "omero.jvmcfg.heap_dump.blitz": "tmp",
        "omero.jvmcfg.heap_dump.indexer": "on",
        "omero.jvmcfg.heap_dump.pixeldata": "off",
        "omero.jvmcfg.perm_gen": "1g",
    }
    found = memory_options(Settings(values), 16000)
    dump = "-XX:+HeapDumpOnOutOfMemoryError"
    more = ("-XX:-PrintGC", "-Da=b c")
    assert found["blitz"] == ("-Xmx2400m", dump, f"-XX:HeapDumpPath={tempfile.gettempdir()}", *more)
    assert found["indexer"] == ("-Xmx1600m", dump, *more)
    assert found["pixeldata"] == ("-Xmx2400m", *more)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("percent", "0"),
        ("percent", "101"),
        ("percent.blitz", "ten"),
        ("heap_size", "much"),
        ("heap_size", "0"),
        ("heap_size", "2²"),
        ("percent", "²"),
        ("system_memory", "9" * 5000),
        ("strategy", "guess"),
        ("system_memory", "-4"),
        ("max_system_memory", "4g"),
        ("heap_dump", "perhaps"),
        ("append", "'open"),
    ],
)
def test_wrong_values_are_named(name: str, value: str) -> None:
    with pytest.raises(AdminError) as caught:
        memory_options(Settings({f"omero.jvmcfg.{name}": value}), 16000)
    assert caught.value.code == "setting-invalid"
    assert f"omero.jvmcfg.{name}" in caught.value.message
    assert repr(value) in caught.value.message


def test_lines_show_what_was_set() -> None:
    values = {"omero.jvmcfg.percent.blitz": "50", "omero.jvmcfg.append": "-a", "omero.db.host": "x"}
    lines = [service.describe() for service in service_memory(Settings(values), 16000)]
    assert lines == [
        "blitz=-Xmx8000m -a # Settings({'append': '-a', 'percent': '50'})",
        "indexer=-Xmx1600m -a # Settings({'append': '-a'})",
        "pixeldata=-Xmx2400m -a # Settings({'append': '-a'})",
        "repository=-Xmx1600m -a # Settings({'append': '-a'})",
    ]
    assert service_memory(Settings({}), 16000)[0].describe() == "blitz=-Xmx2400m"

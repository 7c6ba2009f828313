"""Names that are known, and those that a slip was meant to be."""

from __future__ import annotations

import re
from time import perf_counter

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.schema.catalog import all_names, find_setting, nearest_names, settings
from omeroadmin.schema.families import FAMILIES, is_of_a_family
from omeroadmin.schema.validation import check_value, unknown_name


@pytest.mark.parametrize(
    "name",
    [
        "omero.db.host",
        "omero.threads.min_threads.indexer",
        "omero.glacier2.IceSSL.DH.2048",
        "Ice.ThreadPool.Server.SizeMax",
        "Ice.MessageSizeMax",
        "omero.fs.importUsers",
        "omero.web.iviewer.roi_page_size",
        "my.own",
        "OMERO_HOME",
    ],
)
def test_known_or_nobodys_names_bring_no_warning(name: str) -> None:
    assert unknown_name(name) is None


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("omero.db.hots", "omero.db.host"),
        ("omero.host.db", "omero.db.host"),
        ("omero.DB.Host", "omero.db.host"),
        ("omero.database.host", "omero.db.host"),
        ("omero.data", "omero.data.dir"),
        ("omero.ldap.url", "omero.ldap.urls"),
        ("omero.ldap.filter.user", "omero.ldap.user_filter"),
        ("omero.web.allowedhosts", "omero.web.allowed_hosts"),
        ("omero.threads.minthreads.indexer", "omero.threads.min_threads.indexer"),
        ("Ice.IPV6", "Ice.IPv6"),
    ],
)
def test_a_slip_is_known_for_what_was_meant(slip: str, meant: str) -> None:
    assert nearest_names(slip)[0] == meant
    assert meant in str(unknown_name(slip))


@pytest.mark.parametrize(
    "name", ["omero.nobody.knows.this", "omero.x", "Ice.Nonsense", "omero.", "omero." + "x" * 5000]
)
def test_what_is_like_nothing_has_no_neighbours(name: str) -> None:
    assert nearest_names(name) == []
    assert "did you mean" not in str(unknown_name(name))


def test_looking_for_a_name_takes_milliseconds() -> None:
    settings()
    start = perf_counter()
    for _ in range(10):
        nearest_names("omero.web.sesion_cookie_aeg.unknown")
    assert perf_counter() - start < 0.5


def test_names_for_one_service_are_names() -> None:
    assert "omero.jvmcfg.heap_size.blitz" in all_names()
    assert all(find_setting(name) is not None for name in all_names())
    assert len(set(all_names())) == len(all_names())


def test_families_hold_names_that_the_catalog_has_not() -> None:
    for family in FAMILIES:
        assert re.compile(family.pattern)
        assert family.description.endswith(".")
    assert not is_of_a_family("omero.web.public.enabledd")
    assert not is_of_a_family("omero.db.uuid2")


@pytest.mark.parametrize(
    ("name", "value", "message", "hint"),
    [
        ("omero.db.port", "x", "omero.db.port is 'x', but takes a port number from 1 to 65535", "omero.db.port 5432"),
        ("omero.db.pass", "fine", "", ""),
        ("omero.jvmcfg.strategy.blitz", "fifth", "omero.jvmcfg.strategy.blitz is 'fifth', but takes", ".blitz percent"),
        ("omero.web.apps", '["a"', "omero.web.apps is", "omero config set omero.web.apps '["),
    ],
)
def test_a_refusal_says_what_to_type(name: str, value: str, message: str, hint: str) -> None:
    if not message:
        check_value(name, value)
        return
    with pytest.raises(AdminError) as caught:
        check_value(name, value)
    assert caught.value.code == "value-invalid"
    assert caught.value.message.startswith(message)
    assert hint in caught.value.hint
    assert "--force" in caught.value.hint


def test_a_long_value_is_repeated_in_part() -> None:
    with pytest.raises(AdminError) as caught:
        check_value("omero.db.port", "9" * 100_000)
    assert len(caught.value.message) < 300


def test_a_default_is_always_taken() -> None:
    for setting in (setting for setting in settings().values() if not setting.has_no_default):
        check_value(setting.name, setting.default)

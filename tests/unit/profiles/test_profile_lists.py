"""Lists in values: one item more or less."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.profiles.lists import with_item, without_item

items = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(items, max_size=4), items)
def test_what_is_appended_can_be_removed(present: list[object], item: object) -> None:
    longer = with_item("k", json.dumps(present), json.dumps(item))
    assert longer is not None
    assert json.loads(longer) == [*present, item]
    shorter = json.loads(without_item("k", longer, json.dumps(item)))
    assert len(shorter) == len(present)
    assert with_item("k", longer, json.dumps(item), once=True) is None


@pytest.mark.parametrize(
    ("name", "present", "item", "code"),
    [
        ("k", None, "x", "item-not-json"),
        ("k", None, "[" * 100_000, "item-not-json"),
        ("k", "x", "1", "value-not-json"),
        ("k", "[" * 100_000, "1", "value-not-json"),
        ("k", "1", "1", "value-not-list"),
        ("omero.web.debug", None, "1", "value-not-list"),
        ("omero.web.index_template", None, "1", "value-not-json"),
        ("omero.web.databases", None, "1", "value-not-list"),
    ],
)
def test_what_is_no_list(name: str, present: str | None, item: str, code: str) -> None:
    with pytest.raises(AdminError) as caught:
        with_item(name, present, item)
    assert (caught.value.code, "\n" in caught.value.message) == (code, False)


@pytest.mark.parametrize(
    ("name", "present", "code"),
    [
        ("k", None, "property-unset"),
        ("omero.db.host", None, "property-unset"),
        ("k", "[1]", "item-not-in-list"),
        ("omero.web.unheard_of", None, "item-not-in-list"),
    ],
)
def test_what_is_not_there_to_remove(name: str, present: str | None, code: str) -> None:
    with pytest.raises(AdminError) as caught:
        without_item(name, present, "2")
    assert caught.value.code == code


def test_secret_items_are_not_repeated() -> None:
    with pytest.raises(AdminError) as appended:
        with_item("my.password", None, "geheim")
    with pytest.raises(AdminError) as removed:
        without_item("my.password", "[]", '"geheim"')
    for caught in (appended.value, removed.value):
        assert "geheim" not in caught.message + caught.hint

"""Hosts at a time, and names that are almost right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from omeroadmin.provisioning.variables import _is_slip
from omeroadmin.workflows.rollout import batches


@given(some.lists(some.integers()), some.integers(0, 9))
def test_batches_are_all_hosts_in_their_order(hosts: list[int], size: int) -> None:
    found = [list(batch) for batch in batches(hosts, size)]
    assert [host for batch in found for host in batch] == hosts
    assert all(len(batch) == size for batch in found[:-1] if size)
    assert all(found)
    if not size:
        assert len(found) <= 1


@pytest.mark.parametrize("name", ["omer_data", "omeroo_data", "omero_dota", "omero_daat", "omero_datas", "omero_dat"])
def test_slips(name: str) -> None:
    assert _is_slip(name, "omero_data")


@pytest.mark.parametrize("name", ["omero_meta", "data", "omero_data_dir", "other_data", "omero_date1"])
def test_other_names(name: str) -> None:
    assert not _is_slip(name, "omero_data")
    assert not _is_slip("port", "part")

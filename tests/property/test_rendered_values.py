"""Whatever is set arrives at the servers as it is, in our descriptors and in a distribution's."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from omeroadmin.grid.descriptor import read_servers
from omeroadmin.grid.expansion import Scope
from omeroadmin.grid.rewrite import plan_rewrite
from omeroadmin.memory.strategies import memory_options
from omeroadmin.profiles.store import update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost
from tests.unit.grid.test_distribution import make as make_distribution

TEXT = st.lists(
    st.one_of(
        st.sampled_from(
            ["$", "${", "}", "$$", "\\", "\\1", "\\g<0>", "&", "<", ">", '"', "'", "@omero.host@", "]]>", "%"]
        ),
        st.sampled_from(["@omero.ports.ssl@", "${omero.name}", "{{ x }}", "é", "\U0001f52c", " ", "-->", "REPLACEME"]),
        st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), max_size=6),
    ),
    min_size=1,
    max_size=8,
).map(lambda parts: "".join(parts).strip() or "x")
SERVICES = {"blitz": "Blitz-0", "indexer": "Indexer-0", "pixeldata": "PixelData-0"}


def make_reference(directory: Path, values: dict[str, str]) -> tuple[Instance, Settings]:
    instance = Instance(directory)
    instance.grid_directory.mkdir(parents=True)
    update_profile(instance.config_xml, values)
    return instance, Settings(values)


@pytest.mark.parametrize("make", [make_reference, make_distribution])
@given(value=TEXT, other=TEXT, password=TEXT, before=st.booleans(), service=st.sampled_from(sorted(SERVICES)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_values_arrive(make, value, other, password, before, service) -> None:  # type: ignore[no-untyped-def]
    own, general = {f"my.own.{service}": value}, {"my.own": other}
    values = {**own, **general} if before else {**general, **own}
    # The one value that the toolkit expands: another property may be meant there.
    values["omero.glacier2.IceSSL.Password"] = password.replace("${omero.name}", "")
    with tempfile.TemporaryDirectory() as directory:
        instance, config = make(Path(directory) / "x", values)
        plan = plan_rewrite(instance, config, memory_options(config, 16000))
        apply_plan(plan, LocalHost())
        servers = {server.identifier: dict(server.properties) for server in read_servers(instance.default_xml)}
        document = etree.parse(instance.templates_xml)
    for name, server in SERVICES.items():
        assert servers[server]["my.own"] == (value if name == service else other)
    wanted = values["omero.glacier2.IceSSL.Password"]
    assert servers["OMERO.Glacier2"]["IceSSL.Password"] == wanted
    raw = [one.get("value", "") for one in document.iter("property") if one.get("name") == "IceSSL.Password"]
    assert [Scope().expand(text) for text in raw] == [wanted]

"""A real distribution's own templates."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid.descriptor import read_servers
from omeroadmin.grid.model import ServerSpecification
from omeroadmin.grid.rewrite import plan_rewrite, render_files
from omeroadmin.memory.strategies import memory_options
from omeroadmin.profiles.store import ensure_saved, update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost

SAMPLE = Path(__file__).resolve().parents[2] / "golden" / "grid" / "distribution"
ODD = {
    "omero.ports.prefix": "1",
    "omero.client.icetransports": "ssl,ws,wss",
    "omero.master.host": "::1",
    "omero.tables.module": r'a\1"<&>',
    "omero.server.nodedescriptors": "w-2:Processor-1,PixelData-3 master:Blitz-0,Tables-0",
    "omero.jvmcfg.append.blitz": r"'-Dx=C:\1 & ${y}' -Dz",
    "my.own.blitz": r"\g<0> ${omero.data.dir}",
    "my.own": "general",
    "omero.glacier2.IceSSL.Password": "a\"<&>'$${b}\\0",
    "omero.glacier2.IceSSL.Protocols": "TLS1_2",
}
CASES: dict[str, dict[str, str]] = {"default": {}, "odd": ODD}


def make(directory: Path, values: dict[str, str]) -> tuple[Instance, Settings]:
    instance = Instance(directory / "OMERO.server")
    shutil.copytree(SAMPLE / "templates", instance.etc / "templates")
    shutil.copy(SAMPLE / "omero.properties", instance.etc)
    instance.server_jars.mkdir(parents=True)
    instance.grid_directory.mkdir()
    update_profile(instance.config_xml, values)
    ensure_saved(instance.config_xml)
    return instance, Settings(values)


def rewrite(instance: Instance, settings: Settings) -> dict[str, ServerSpecification]:
    plan = plan_rewrite(instance, settings, memory_options(settings, 16000))
    apply_plan(plan, LocalHost())
    return {server.identifier: server for server in read_servers(instance.default_xml)}


@pytest.mark.parametrize("case", CASES)
def test_golden(tmp_path: Path, case: str) -> None:
    """Write the files anew with UPDATE_GOLDEN=1 and look at what has changed."""
    instance, settings = make(tmp_path, CASES[case])
    found = render_files(instance, settings, memory_options(settings, 16000), python="python")
    for path, text in found.items():
        if not (SAMPLE / "templates" / path.relative_to(instance.etc)).exists():
            continue  # the file of a node, which no distribution has a template of
        golden = SAMPLE / "rendered" / f"{case}.{path.name}"
        if os.environ.get("UPDATE_GOLDEN"):
            golden.parent.mkdir(exist_ok=True)
            golden.write_text(text)
        assert text == golden.read_text(), golden


def test_what_is_rendered_is_what_the_distribution_means(tmp_path: Path) -> None:
    instance, settings = make(tmp_path, {})
    servers = rewrite(instance, settings)
    assert len(servers) == 11
    blitz = servers["Blitz-0"]
    assert blitz.executable == "java"
    assert blitz.options[:2] == ("-Xmx2400m", "-Djava.awt.headless=true")
    assert "-Domero.logfile=var/log/${omero.name}.log" in blitz.options
    names = {name for name, _ in blitz.properties}
    assert not [name for name in names if name.startswith("REPLACEMENT")]
    router = dict(servers["OMERO.Glacier2"].properties)
    assert router["IceSSL.Ciphers"] == "ADH:!LOW:!MD5:!EXP:!3DES:@STRENGTH"
    assert router["Glacier2.Client.Endpoints"] == "ssl -p 4064:tcp -p 4063"
    assert "IceSSL.Never" not in router
    assert "IceSSL" not in router
    assert "-h @omero.host@" in instance.default_xml.read_text()
    assert 'value=";"' in (instance.grid_directory / "windefault.xml").read_text()
    assert instance.ice_config.read_text().endswith("omero.host=localhost\nomero.port=4064\n")
    assert not plan_rewrite(instance, settings, memory_options(settings, 16000))


def test_odd_values_arrive_as_they_are(tmp_path: Path) -> None:
    instance, settings = make(tmp_path, ODD)
    servers = rewrite(instance, settings)
    assert list(servers) == ["OMERO.Glacier2", "Blitz-0", "Tables-0", "Processor-1", "PixelData-3"]
    assert {server.node for server in servers.values()} == {"master", "w-2"}
    assert servers["Blitz-0"].options[:3] == ("-Xmx2400m", r"-Dx=C:\1 & ${y}", "-Dz")
    assert dict(servers["Blitz-0"].properties)["my.own"] == ODD["my.own.blitz"]
    assert dict(servers["PixelData-3"].properties)["my.own"] == "general"
    assert servers["Tables-0"].options[1] == ODD["omero.tables.module"]
    router = dict(servers["OMERO.Glacier2"].properties)
    assert router["IceSSL.Password"] == ODD["omero.glacier2.IceSSL.Password"]
    assert router["IceSSL.Protocols"] == "TLS1_2"
    assert router["Glacier2.Client.Endpoints"] == "ssl -p 14064:ws -p 14065:wss -p 14066"
    assert router["Glacier2.Server.Endpoints"] == 'tcp -h "::1"'
    assert 'IceGrid.Registry.Client.Endpoints=tcp -h "::1" -p 14061\n' in instance.master_cfg.read_text()
    assert "omero.host=::1\n" in instance.ice_config.read_text()
    assert "IceGrid.Node.Name=w-2\n" in (instance.etc / "w-2.cfg").read_text()


def test_windows_nodes_follow_the_descriptors_too(tmp_path: Path) -> None:
    instance, settings = make(tmp_path, ODD)
    rewrite(instance, settings)
    assert '<node name="w-2">' in (instance.grid_directory / "windefault.xml").read_text()


def test_nodes_of_the_template_have_files(tmp_path: Path) -> None:
    """The manual's example: two nodes more on one host, written into the template."""
    instance, settings = make(tmp_path, {})
    template = instance.etc / "templates" / "grid" / "default.xml"
    nodes = "".join(
        f'<node name="node{n}"><server-instance template="ProcessorTemplate" index="{n}" dir=""/></node>'
        for n in (1, 2)
    )
    template.write_text(template.read_text().replace('<target name="repo">', f'{nodes}<target name="repo">'))
    assert {"Processor-0", "Processor-1", "Processor-2"} <= set(rewrite(instance, settings))
    assert "IceGrid.Node.Endpoints=tcp -h 127.0.0.1\n" in (instance.etc / "node2.cfg").read_text()
    assert not (instance.etc / "repo.cfg").exists()


def test_old_templates_have_no_place_for_properties_of_one_service(tmp_path: Path) -> None:
    instance, settings = make(tmp_path, {"my.own.indexer": "1"})
    template = instance.etc / "templates" / "grid" / "templates.xml"
    template.write_text(template.read_text().replace('<property name="REPLACEMENT:indexer" value="REPLACEME"/>', ""))
    assert dict(rewrite(instance, settings)["Indexer-0"].properties)["my.own"] == "1"


@pytest.mark.parametrize(
    ("name", "old", "new", "code", "words"),
    [
        ("grid/templates.xml", "MEMORY:indexer", "-Xmx1m", "template-outdated", "Cannot find indexer option"),
        ("grid/templates.xml", "runProcessor", "MEMORY:processor", "template-outdated", "MEMORY:processor"),
        ("grid/templates.xml", "</icegrid>", "", "template-invalid", "line "),
        (
            "grid/default.xml",
            "<icegrid>",
            "<!DOCTYPE icegrid [<!ENTITY a 'b'>]><icegrid>",
            "template-invalid",
            "DOCTYPE",
        ),
        ("grid/default.xml", 'name="master"', 'name="other"', "template-invalid", "no node master"),
        ("master.cfg", "", "", "template-missing", "master.cfg"),
        ("grid/default.xml", "", "", "template-missing", "default.xml"),
    ],
)
def test_what_is_wrong_with_a_template_is_named(
    tmp_path: Path, name: str, old: str, new: str, code: str, words: str
) -> None:
    instance, settings = make(tmp_path, {"omero.server.nodedescriptors": "master:Blitz-0"})
    template = instance.etc / "templates" / name
    if old:
        template.write_text(template.read_text().replace(old, new))
    else:
        template.unlink()
    with pytest.raises(AdminError) as caught:
        rewrite(instance, settings)
    assert caught.value.code == code
    assert words in caught.value.message
    assert str(template) in caught.value.message


def test_without_the_defaults(tmp_path: Path) -> None:
    instance, settings = make(tmp_path, {})
    (instance.etc / "omero.properties").unlink()
    with pytest.raises(AdminError, match=r"omero\.properties is missing"):
        rewrite(instance, settings)


def test_servers_are_those_of_the_distribution(tmp_path: Path) -> None:
    instance, settings = make(tmp_path, {"omero.server.nodedescriptors": "master:Blitz-0,Cache-7"})
    with pytest.raises(AdminError, match="no server 'Cache'"):
        rewrite(instance, settings)
    template = instance.etc / "templates" / "grid" / "templates.xml"
    own = '<server-template id="CacheTemplate"><parameter name="index"/><server id="Cache-${index}" exe="x"/>'
    template.write_text(template.read_text().replace("</icegrid>", f"{own}</server-template></icegrid>"))
    assert "Cache-7" in rewrite(instance, settings)

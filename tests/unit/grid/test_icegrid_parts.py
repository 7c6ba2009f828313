"""What is handed to IceGrid, and what its programs say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid.descriptor import read_servers
from omeroadmin.grid.icegrid import deployment, programs, verdicts
from omeroadmin.grid.icegrid.admin import IceGridAdmin, RefusedError, parse_state, safe_name
from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import Cause
from omeroadmin.grid.node.registry import Registry
from omeroadmin.schema.instance import Instance

DESCRIPTOR = """<icegrid><application name="OMERO"><include file="config.xml"/>
<properties id="All"><properties refid="__ACTIVE__"/></properties>
<server-template id="A"><parameter name="index"/>
<server id="A-${index}" exe="a" activation="always"><properties><properties refid="All"/></properties>
<property name="Ice.Admin.Enabled" value="0"/></server></server-template>
<node name="master"><server-instance template="A" index="0"/></node>
<node name="worker"><server-instance template="A" index="1"/></node></application></icegrid>"""
PROFILE = """<icegrid><properties id="__ACTIVE__"><property name="a" value="$${b} $$$${c} $d"/>
<property name="lines" value="[1,&#10;2]"/><property name="omero.jvmcfg.percent" value="9"/>
<property name="omero.db.poolsize.blitz" value="9"/><property name="other.blitz" value="1"/></properties></icegrid>"""


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    instance = Instance(tmp_path / "OMERO.server")
    instance.grid_directory.mkdir(parents=True)
    instance.registry_directory.mkdir(parents=True)
    instance.run_directory.mkdir(parents=True)
    instance.log_directory.mkdir(parents=True)
    instance.default_xml.write_text(DESCRIPTOR)
    instance.config_xml.write_text(PROFILE)
    return instance


def test_copies_say_the_same(instance: Instance) -> None:
    copy = deployment.copy_descriptors(instance, instance.default_xml, {})
    assert copy.stat().st_mode & 0o777 == 0o600
    properties = dict(read_servers(copy)[0].properties)
    original = dict(read_servers(instance.default_xml)[0].properties)
    assert properties["a"] == original["a"] == "$${b} $$$${c} $d"
    assert properties["lines"] == "[1, 2]"
    assert original["omero.db.poolsize.blitz"] == original["omero.jvmcfg.percent"] == "9"
    assert set(original) - set(properties) == {"omero.db.poolsize.blitz", "omero.jvmcfg.percent"}


def test_copies_in_which_nothing_is_started(instance: Instance) -> None:
    copy = deployment.copy_descriptors(instance, instance.default_xml, {}, manual=True)
    assert {server.activation for server in read_servers(copy)} == {"manual"}


KINDS = """<icegrid><application name="OMERO"><include file="config.xml"/>
<properties id="Plain"><property name="p" value="1"/></properties>
<properties id="All"><properties refid="__ACTIVE__"/><properties refid="Plain"/></properties>
<properties id="More"><properties refid="All"/></properties>
<server-template id="I"><parameter name="index"/><server id="Indexer-${index}" exe="a">
<properties><properties refid="More"/></properties></server></server-template>
<server-template id="G"><server id="${application}.Glacier2" exe="a">
<properties><properties refid="All"/></properties></server></server-template>
<node name="master"><server-instance template="I" index="0"/><server-instance template="G"/>
<server id="Tables-7" exe="a"><properties><properties refid="All"/></properties></server>
<server id="Bare" exe="a"><properties><properties refid="Plain"/></properties></server>
</node></application></icegrid>"""


def profile_text(**values: str) -> str:
    properties = "".join(f'<property name="{name.replace("__", ".")}" value="{values[name]}"/>' for name in values)
    return f'<icegrid><properties id="__ACTIVE__">{properties}</properties></icegrid>'


def handed(instance: Instance, made: deployment.Deployment) -> dict[str, dict[str, str]]:
    """What the servers of a deployment get, by their ids."""
    copy = deployment.copy_descriptors(instance, instance.default_xml, made.profiles)
    return {server.identifier: dict(server.properties) for server in read_servers(copy)}


def test_a_running_grid_is_handed_what_concerns_its_servers(instance: Instance) -> None:
    def prepare(before: deployment.Deployment | None, **values: str) -> deployment.Deployment:
        instance.config_xml.write_text(profile_text(**values))
        return deployment.prepare(instance, instance.default_xml, (), before)

    def changed(before: deployment.Deployment, after: deployment.Deployment) -> set[str]:
        return {one.id for one in after.servers if before.server(one.id) != one}

    instance.default_xml.write_text(KINDS)
    first = prepare(None, omero__search__batch="$${1}", omero__db__name="a")
    everything = {"omero.search.batch": "$${1}", "omero.db.name": "a", "p": "1"}
    assert handed(instance, first) == {
        "Indexer-0": everything,
        "OMERO.Glacier2": everything,
        "Tables-7": everything,
        "Bare": {"p": "1"},
    }
    assert not changed(first, prepare(first, omero__db__name="a", omero__search__batch="$${1}"))
    second = prepare(first, omero__search__batch="2", omero__db__name="a")
    assert changed(first, second) == {"Indexer-0"}
    given = handed(instance, second)
    assert (given["Indexer-0"]["omero.search.batch"], given["Tables-7"]["omero.search.batch"]) == ("2", "$${1}")
    third = prepare(second, omero__db__name="a")
    assert changed(second, third) == {"Indexer-0"}
    assert "omero.search.batch" not in handed(instance, third)["Indexer-0"]
    fourth = prepare(third, omero__db__name="a", omero__search__batch="3", own__property="x")
    assert changed(third, fourth) == {"Indexer-0", "OMERO.Glacier2", "Tables-7"}
    # Who is restarted anyway gets everything, and so does everybody at the next start.
    assert handed(instance, fourth)["Tables-7"]["omero.search.batch"] == "3"
    assert handed(instance, prepare(None, omero__search__batch="4"))["Tables-7"] == {
        "omero.search.batch": "4",
        "p": "1",
    }


def test_a_deployment_is_remembered(instance: Instance) -> None:
    assert deployment.remembered(instance) == deployment.Deployment()
    made = deployment.prepare(instance, instance.default_xml, ())
    assert made.nodes == ("master", "worker")
    assert [(server.id, server.always, server.plain) for server in made.servers] == [
        ("A-0", True, True),
        ("A-1", True, True),
    ]
    deployment.remember(instance, made)
    assert deployment.remembered(instance) == deployment.prepare(instance, instance.default_xml, ())
    instance.config_xml.write_text(PROFILE.replace("[1,", "[3,"))
    assert deployment.remembered(instance) != deployment.prepare(instance, instance.default_xml, ())


@pytest.mark.parametrize(
    ("answer", "parsed"),
    [
        ("active (pid = 21074, enabled)", ("active", 21074, True)),
        ("active (enabled)", ("active", None, True)),
        ("inactive (disabled)", ("inactive", None, False)),
        ("activation timed out (enabled)", ("activation timed out", None, True)),
    ],
)
def test_states(answer: str, parsed: tuple[str, int | None, bool]) -> None:
    assert parse_state(answer) == parsed


@pytest.mark.parametrize("answer", ["error: no", "node is up", "active (pid = x, enabled)"])
def test_what_is_no_state(answer: str) -> None:
    with pytest.raises(ValueError, match=re.escape(answer)):
        parse_state(answer)


@pytest.mark.parametrize("name", ["", "a;b", "a b", "-e", "a'b", "ä"])
def test_names_are_one_word(name: str) -> None:
    with pytest.raises(AdminError) as caught:
        safe_name(name, "node")
    assert caught.value.code == "node-unknown"


def program(directory: Path, name: str, words: str) -> None:
    """A program that says something."""
    path = directory / name
    path.write_text(f"#!/bin/sh\n/bin/cat <<'END'\n{words}\nEND\n")
    path.chmod(0o755)


def test_answers(instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    admin = IceGridAdmin(instance)
    with pytest.raises(AdminError, match="never started"):
        admin.states("node ping master")
    instance.internal_cfg.touch()
    two = "inactive (enabled)\nerror: node `w' couldn't be reached:\nthe node is not active"
    program(tmp_path, "icegridadmin", two)
    assert admin.states("server state A", "server state B") == (
        "inactive (enabled)",
        "error: node `w' couldn't be reached: the node is not active",
    )
    with pytest.raises(RefusedError, match="couldn't be reached"):
        admin.words("server state B")
    for call in (admin.states, admin.survey):
        with pytest.raises(AdminError) as caught:
            call("server state A")
        assert caught.value.code == "answer-unreadable"
    program(tmp_path, "icegridadmin", f"{two}\nnode is up\nA\nB")
    assert admin.survey("server state A", "server state B")[1] == ("A", "B")
    assert admin.states() == ()


def test_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program(tmp_path, "icegridnode", "3.6.5")
    program(tmp_path, "icegridadmin", "3.6.4")
    node, _ = programs.check_versions()
    assert programs.registry_data_property(node) == "IceGrid.Registry.Data"
    for words, problem in (("3.7.8", "icegridadmin of 3.6.4"), ("3.8.0", "none of 3.6, 3.7"), ("no", "does not say")):
        program(tmp_path, "icegridnode", words)
        with pytest.raises(AdminError, match=problem) as caught:
            programs.check_versions()
        assert (caught.value.code, caught.value.exit_status) == ("icegrid-version", 3)


def test_why_a_server_is_disabled(instance: Instance) -> None:
    layout = NodeLayout(instance)
    registry = Registry(layout.disabled_file)
    assert verdicts.verdict(layout, registry, "A-0").cause is Cause.ADMIN
    left = instance.run_directory / "A-0.disabled"
    left.write_text(json.dumps({"cause": "not-installed", "reason": "no tables"}))
    assert verdicts.verdict(layout, registry, "A-0") == verdicts.Verdict(Cause.NOT_INSTALLED, "no tables")
    left.write_text(json.dumps({"cause": "failed", "reason": "old database"}))
    assert verdicts.verdict(layout, registry, "A-0") == verdicts.Verdict(Cause.FAILED, "old database")
    assert verdicts.crash_reason(layout, "A-0") == ""
    verdicts.forget(layout, ["A-0"])
    assert not left.exists()
    layout.directory.mkdir()
    layout.pid_file.write_text("1\n")
    lines = "server activation failed for `A-0':\n   cannot execute `a': No such file or directory\n"
    layout.error_log.write_text(f"-! 01/01/01 00:00:00.000 icegridnode: warning: {lines}")
    assert verdicts.verdict(layout, registry, "A-0").cause is Cause.ADMIN
    layout.error_log.write_text(f"-! 12/31/68 00:00:00.000 icegridnode: warning: {lines}")
    assert verdicts.verdict(layout, registry, "A-0").reason == "cannot execute `a': No such file or directory"
    registry.set_disabled("A-0", disabled=True)
    assert verdicts.verdict(layout, registry, "A-0").cause is Cause.ADMIN

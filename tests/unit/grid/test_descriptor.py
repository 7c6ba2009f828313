"""Application descriptors as server specifications, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid.descriptor import read_servers
from omeroadmin.grid.elements import known_targets
from omeroadmin.grid.model import ServerSpecification

DEFAULT = """<icegrid>
  <application name="OMERO">
    <variable name="HOME" value="/srv/${application}"/>
    <variable name="LOG" value="${HOME}/$${name}.log"/>
    <properties id="Profile">
      <properties refid="__ACTIVE__"/>
      <property name="own" value="1"/>
    </properties>
    <include file="config.xml"/>
    <node name="master">
      <variable name="PORT" value="1"/>
      <server-instance template="T" index="0"/>
      <server-instance template="T" index="1" exe="/bin/other">
        <properties><property name="last" value="${index}"/></properties>
      </server-instance>
    </node>
    <target name="repo">
      <node name="repo"><server id="R" exe="r" activation="always"/></node>
    </target>
  </application>
</icegrid>
"""
CONFIG = """<icegrid>
  <!-- a comment -->
  <properties id="__ACTIVE__"><property name="omero.db.pass" value="a$$b${c}"/></properties>
  <include file="templates.xml" />
</icegrid>
"""
TEMPLATES = """<icegrid>
  <properties id="Basics"><property name="basic" value="${PORT}"/></properties>
  <replica-group id="G"/>
  <server-template id="T">
    <parameter name="index"/>
    <parameter name="exe" default="${HOME}/bin"/>
    <server id="Server-${index}" exe="${exe}" activation="always" pwd="${HOME}" activation-timeout="7">
      <option>-x</option>
      <option> ${LOG} </option>
      <env>NAME=${server}=${node}</env>
      <property name="mine" value="${index}"/>
      <properties>
        <properties refid="Basics"/>
        <properties refid="Profile"/>
      </properties>
      <target name="debug">
        <option>--debug</option>
        <property name="level" value="10"/>
      </target>
      <adapter name="A" endpoints="tcp"/>
    </server>
  </server-template>
</icegrid>
"""


def write(directory: Path, default: str = DEFAULT, config: str = CONFIG, templates: str = TEMPLATES) -> Path:
    (directory / "config.xml").write_text(config)
    (directory / "templates.xml").write_text(templates)
    (directory / "default.xml").write_text(default)
    return directory / "default.xml"


def test_a_template_and_its_instances(tmp_path: Path) -> None:
    first, second = read_servers(write(tmp_path))
    assert first == ServerSpecification(
        identifier="Server-0",
        executable="/srv/OMERO/bin",
        options=("-x", "/srv/OMERO/${name}.log"),
        working_directory="/srv/OMERO",
        environment=(("NAME", "Server-0=master"),),
        activation="always",
        activation_timeout=7,
        deactivation_timeout=10,
        properties=(("basic", "1"), ("omero.db.pass", "a$$b${c}"), ("own", "1"), ("mine", "0")),
        node="master",
    )
    assert first.starts_always
    assert second.executable == "/bin/other"
    assert second.properties[-1] == ("last", "1")


def test_targets(tmp_path: Path) -> None:
    file = write(tmp_path)
    assert known_targets(file) == {"repo", "debug"}
    servers = read_servers(file, ("debug", "repo"))
    assert [server.identifier for server in servers] == ["Server-0", "Server-1", "R"]
    assert servers[0].options[-1] == "--debug"
    assert servers[0].properties[-1] == ("level", "10")
    assert servers[2].node == "repo"


def problem(file: Path) -> str:
    with pytest.raises(AdminError) as caught:
        read_servers(file)
    assert caught.value.code == "descriptor-invalid"
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('template="T" index="0"', 'template="X" index="0"', ("default.xml line 12", 'template="X"', "not defined")),
        ('template="T" index="0"', 'template="T"', ("default.xml line 12", "parameter index")),
        ('template="T" index="0"', 'template="T" index="0" dir=""', ("line 12", "dir")),
        ('index="1"', 'index="0"', ("line 13", "second server Server-0")),
        ("${application}", "${nothing}", ("variable nothing",)),
        ('<include file="config.xml"/>', '<include file="gone.xml"/>', ("line 9", "gone.xml", "missing")),
        ('<include file="config.xml"/>', '<include file="default.xml"/>', ("line 9", "includes this one")),
        ('<include file="config.xml"/>', "", ("template T, which is not defined",)),
        ('<variable name="PORT" value="1"/>', "<what/>", ("line 11", "<what>", "not known")),
        ('<include file="config.xml"/>', "<what/>", ("line 9", "<what>", "not known inside <application>")),
        ('<application name="OMERO">', "<application>", ("line 2", "<application>", "lacks the attribute name")),
        ("<icegrid>", "<grid>", ("can't be read", "mismatch")),
        ("<icegrid>", '<!DOCTYPE icegrid [<!ENTITY a "b">]><icegrid>', ("DOCTYPE",)),
    ],
)
def test_faults_of_the_application(tmp_path: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    assert old in DEFAULT
    message = problem(write(tmp_path, DEFAULT.replace(old, new)))
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('refid="Basics"', 'refid="Basic"', ("templates.xml line 13", "property set Basic")),
        ('activation="always"', 'activation="never"', ("line 7", "'never'")),
        ('activation-timeout="7"', 'activation-timeout="soon"', ("line 7", "'soon'")),
        ('value="${index}"', 'value="${inde}"', ("line 11", '<property name="mine">', "inde")),
        ('exe="${exe}"', "", ("line 7", "exe")),
        ('<server id="Server', '<server id="a" exe="b"/><server id="Server', ("2 servers",)),
        ('<property name="basic" value="${PORT}"/>', '<properties refid="Basics"/>', ("circle",)),
    ],
)
def test_faults_of_a_template(tmp_path: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    assert old in TEMPLATES
    message = problem(write(tmp_path, templates=TEMPLATES.replace(old, new)))
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("content", ["<icegrid/>", "<other/>", "rubbish", ""])
def test_no_application(tmp_path: Path, content: str) -> None:
    (tmp_path / "default.xml").write_text(content)
    assert str(tmp_path / "default.xml") in problem(tmp_path / "default.xml")


def test_entities_are_not_resolved(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    bomb = f'<!DOCTYPE icegrid [<!ENTITY a SYSTEM "{tmp_path}/secret">]><icegrid>&a;</icegrid>'
    assert "secret" not in problem(write(tmp_path, bomb)).replace(str(tmp_path), "")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(AdminError, match=r"default\.xml"):
        read_servers(tmp_path / "default.xml")

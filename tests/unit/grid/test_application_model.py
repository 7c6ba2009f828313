"""Everything that an application descriptor can say, and where a mistake in it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.grid.description import (
    Adapter,
    ApplicationDescription,
    DatabaseEnvironment,
    Distribution,
    LoadBalancing,
    NodeDescription,
    ReplicaGroup,
    Service,
    WellKnownObject,
)
from omeroadmin.grid.descriptor import describe_application, read_servers
from omeroadmin.grid.elements import known_targets

DISTRIBUTION = Path(__file__).resolve().parents[2] / "golden" / "grid" / "distribution" / "templates" / "grid"
CONFIG = """<icegrid>
  <properties id="__ACTIVE__"><property name="omero.db.pass" value="${not}ours"/></properties>
  <include file="templates.xml"/>
</icegrid>"""

APPLICATION = """<icegrid>
  <application name="OMERO" import-default-templates="false">
    <description>All of it</description>
    <distrib icepatch="${application}.IcePatch2/server"><directory>lib</directory><directory>etc</directory></distrib>
    <variable name="WHERE" value="application"/>
    <variable name="HOME" value="/srv/${WHERE}"/>
    <replica-group id="${application}Adapters" proxy-options="-t" filter="f">
      <description>Who lets in</description>
      <load-balancing type="adaptive" load-sample="5" n-replicas="0"/>
      <object identity="Verifier" type="::Glacier2::PermissionVerifier" proxy-options="-e 1.0"/>
    </replica-group>
    <replica-group id="Plain"/>
    <properties id="Common"><property name="common" value="${WHERE}"/></properties>
    <properties id="Sized"><property name="size" value="1"/><properties refid="Common"/></properties>
    <service-template id="StormService">
      <parameter name="name" default="IceStorm"/>
      <service name="${name}" entry="IceStormService,36:createIceStorm">
        <adapter name="${service}.TopicManager" endpoints="tcp"/>
        <dbenv name="${service}" home="db"><dbproperty name="a" value="${node}"/></dbenv>
        <property name="${service}.Transient" value="${server}"/>
      </service>
    </service-template>
    <server-template id="Storm">
      <icebox id="${application}.IceStorm" exe="icebox" activation="on-demand" user="${node}-user">
        <service-instance template="StormService"><properties><property name="more" value="1"/></properties>
        </service-instance>
        <service name="Second" entry="second"/>
      </icebox>
    </server-template>
    <server-template id="Blitz">
      <parameter name="index"/>
      <parameter name="log" default="${HOME}/${name}.log"/>
      <parameter name="name" default="Blitz-${index}"/>
      <server id="${name}" exe="java" pwd="${HOME}" activation="session" activation-timeout="2.5" ice-version="3.6"
              deactivation-timeout="${TIMEOUT}" allocatable="true" application-distrib="false">
        <option>a<!-- comment -->b</option>
        <env>LOG=${log}</env>
        <env>EMPTY=</env>
        <properties><properties refid="Sized"/><property name="first" value="1"/></properties>
        <property name="second" value="$${kept}"/>
        <properties><property name="third" value="3"/><properties refid="Profile"/></properties>
        <log path="${log}" property="LogFile"/>
        <adapter name="BlitzAdapter" endpoints="tcp -h ${WHERE}" replica-group="OMEROAdapters" register-process="true"
                 server-lifetime="false" priority="2" id="">
          <object identity="${name}-object" type="::Demo" property="Identity"/>
          <allocatable identity="${name}-session"/>
        </adapter>
        <adapter name="Other" id="${name}.own"/>
        <target name="debug"><option>-Xdebug</option></target>
        <target name="trace"><property name="trace" value="1"/></target>
        <target name="jmx"><option>-Dcom.sun.management.jmxremote</option><target name="debug"><option>both</option>
        </target></target>
        <distrib/>
      </server>
    </server-template>
    <node name="master" load-factor="2">
      <variable name="WHERE" value="node"/>
      <variable name="TIMEOUT" value="9"/>
      <properties id="Sized"><property name="size" value="2"/></properties>
      <properties id="Profile"><property name="profile" value="node's"/></properties>
      <server-instance template="Blitz" index="0"/>
      <server-instance template="Storm">
        <properties><property name="instance" value="1"/></properties>
        <properties service="Second"><property name="of-second" value="${server}"/></properties>
      </server-instance>
    </node>
    <node name="empty"/>
    <node name="master"><server id="Late" exe="late"><property name="os" value="${node.os}"/></server></node>
  </application>
</icegrid>"""


def write(directory: Path, text: str, **others: str) -> Path:
    for name, content in others.items():
        (directory / f"{name}.xml").write_text(content)
    file = directory / "default.xml"
    file.write_text(text)
    return file


@pytest.fixture
def described(tmp_path: Path) -> ApplicationDescription:
    return describe_application(write(tmp_path, APPLICATION))


def test_the_application(described: ApplicationDescription) -> None:
    assert (described.name, described.text) == ("OMERO", "All of it")
    assert described.distribution == Distribution("OMERO.IcePatch2/server", ("lib", "etc"))
    assert described.nodes == (
        NodeDescription("master", "2", ("Blitz-0", "OMERO.IceStorm", "Late")),
        NodeDescription("empty"),
    )
    assert described.server("Nobody") is None


def test_replica_groups(described: ApplicationDescription) -> None:
    verifier = WellKnownObject("Verifier", "::Glacier2::PermissionVerifier", "", "-e 1.0")
    assert described.replica_groups == (
        ReplicaGroup("OMEROAdapters", LoadBalancing("adaptive", 0, 5), (verifier,), "-t", "f"),
        ReplicaGroup("Plain"),
    )


def test_a_server(described: ApplicationDescription) -> None:
    server = described.server("Blitz-0")
    assert server is not None
    process = server.process
    assert process.options == ("ab",)
    assert process.environment == (("LOG", "/srv/node/Blitz-0.log"), ("EMPTY", ""))
    assert (process.working_directory, process.user, process.activation) == ("/srv/node", "", "session")
    assert (process.activation_timeout, process.deactivation_timeout) == (2.5, 9)
    # Of equal names the last one counts: what is referred to comes before what the server says itself.
    assert process.properties == (
        ("size", "2"),
        ("profile", "node's"),
        ("first", "1"),
        ("second", "${kept}"),
        ("third", "3"),
        ("LogFile", "/srv/node/Blitz-0.log"),
        ("Identity", "Blitz-0-object"),
    )
    assert server.adapters == (
        Adapter(
            "BlitzAdapter",
            "Blitz-0.BlitzAdapter",
            "tcp -h node",
            "OMEROAdapters",
            "2",
            registers_process=True,
            decides_lifetime=False,
            objects=(WellKnownObject("Blitz-0-object", "::Demo", "Identity"),),
            allocatables=(WellKnownObject("Blitz-0-session"),),
        ),
        Adapter("Other", "Blitz-0.own"),
    )
    assert server.distribution == Distribution()
    assert not server.is_icebox


def test_an_icebox(described: ApplicationDescription) -> None:
    server = described.server("OMERO.IceStorm")
    assert server is not None
    assert server.is_icebox
    assert (server.process.activation, server.process.user) == ("on-demand", "master-user")
    assert server.process.properties == (("instance", "1"),)
    topics = Adapter("IceStorm.TopicManager", "OMERO.IceStorm.IceStorm.IceStorm.TopicManager", "tcp")
    assert server.services == (
        Service(
            "IceStorm",
            "IceStormService,36:createIceStorm",
            (("IceStorm.Transient", "OMERO.IceStorm"), ("more", "1")),
            (topics,),
            (DatabaseEnvironment("IceStorm", "db", (("a", "master"),)),),
        ),
        Service("Second", "second", (("of-second", "OMERO.IceStorm"),)),
    )
    assert list(server.all_adapters) == [topics]


def test_what_the_system_says(described: ApplicationDescription) -> None:
    server = described.server("Late")
    assert server is not None
    assert server.process.properties == (("os", os.uname().sysname),)
    assert server.process.activation == "manual"


@pytest.mark.parametrize(
    ("targets", "options", "traced"),
    [
        (("debug",), ("ab", "-Xdebug"), False),
        (("jmx",), ("ab", "-Dcom.sun.management.jmxremote"), False),
        (("jmx", "debug", "trace"), ("ab", "-Xdebug", "-Dcom.sun.management.jmxremote", "both"), True),
        (("unknown",), ("ab",), False),
    ],
)
def test_targets(tmp_path: Path, targets: tuple[str, ...], options: tuple[str, ...], traced: bool) -> None:
    file = write(tmp_path, APPLICATION)
    assert known_targets(file) == {"debug", "trace", "jmx"}
    process = read_servers(file, targets)[0]
    assert process.options == options
    assert (("trace", "1") in process.properties) is traced


def test_an_instance_wins_over_the_node_and_that_over_the_application(tmp_path: Path) -> None:
    text = """<icegrid><application name="A"><variable name="x" value="application"/>
      <server-template id="T"><parameter name="id"/><parameter name="x" default="default"/>
        <server id="${id}" exe="${x}"/></server-template>
      <server-template id="U"><parameter name="id"/><server id="${id}" exe="${x}"/></server-template>
      <node name="a"><variable name="x" value="node"/><server-instance template="T" id="1" x="instance"/>
        <server-instance template="T" id="2"/><server-instance template="U" id="3"/></node>
      <node name="b"><server-instance template="U" id="4"/></node></application></icegrid>"""
    servers = read_servers(write(tmp_path, text))
    assert [server.executable for server in servers] == ["instance", "default", "node", "application"]


def test_included_files_may_stand_anywhere(tmp_path: Path) -> None:
    servers = '<icegrid><server id="A" exe="a"><include file="more.xml" targets="t"/></server></icegrid>'
    more = '<icegrid><option>1</option><target name="t"><option>2</option></target></icegrid>'
    text = '<icegrid><application name="A"><node name="n"><include file="servers.xml"/></node></application></icegrid>'
    (server,) = read_servers(write(tmp_path, text, servers=servers, more=more))
    assert server.options == ("1", "2")


def problem(file: Path) -> str:
    with pytest.raises(AdminError) as caught:
        describe_application(file)
    assert caught.value.code == "descriptor-invalid"
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('<distrib icepatch="', '<distrib icepach="', ("line 4: <distrib>", "unknown attribute icepach; is icepatch")),
        ("<description>Who", '<object type="::X"/><description>Who', ("line 8: <object>", "lacks the attribute id")),
        ('<properties id="Common">', "<properties>", ("line 13: <properties>", "lacks the attribute id")),
        ('<properties id="Common">', '<properties refid="Sized">', ("line 13", "to be defined")),
        ('<properties id="Common">', '<properties id="Sized">', ("line 14", "second property set Sized", "line 13")),
        ('id="Storm"', 'id="Blitz"', ("second template Blitz; the first one is", "line 23")),
        ('<replica-group id="Plain"/>', '<replica-group id="OMEROAdapters"/>', ("second replica group OMEROAdapters",)),
        ('type="adaptive"', 'type="fair"', ("line 9", "<load-balancing>", "'fair'", "round-robin")),
        ('load-sample="5"', 'load-sample="some"', ("line 9", "'some'", "not a whole number")),
        ('<parameter name="log"', '<parameter name="index"', ("line 32", "second parameter index", "line 31")),
        ("${HOME}/${name}.log", "${log}", ("line 32", "log -> log")),
        ("${HOME}/${name}.log", "${HOMES}", ("line 32", "variable HOMES", "is HOME meant?")),
        ('template="Blitz"', 'template="Blitzz"', ("line 61", "template Blitzz", "is Blitz meant?")),
        ('template="Blitz" index', 'template="Blitz" idx', ("line 61", "gives idx", "is index meant?")),
        ('template="StormService"', 'template="S"', ("line 25: <service-instance", "service template S")),
        ("<env>EMPTY=</env>", "<env>EMPTY</env>", ("line 38: <env>", "'EMPTY'", "NAME=VALUE")),
        ('activation="on-demand"', 'activation="sometimes"', ("line 24: <icebox", "'sometimes'", "on-demand, session")),
        ('activation-timeout="2.5"', 'activation-timeout="2²"', ("line 35: <server", "'2²'", "seconds")),
        ('register-process="true"', 'register-process="perhaps"', ("line 44: <adapter", "'perhaps'")),
        ('replica-group="OMEROAdapters"', 'replica-group="OMEROAdapter"', ("line 44", "replica group OMEROAdapter,")),
        ('refid="Sized"/><property', 'refid="Size"/><property', ("line 39", 'refid="Size"', "is Sized meant?")),
        ('refid="Sized"/><property', 'id="X"/><property', ("line 39", "only the application and its nodes")),
        ('refid="Sized"/><property', 'id="X" refid="Y"/><property', ("line 39", "a refid and a name")),
        ('name="Other"', 'name="BlitzAdapter"', ("line 48", "second adapter BlitzAdapter", "line 44")),
        ('id="${name}.own"', 'id="Blitz-0.BlitzAdapter"', ("line 61", "second adapter id Blitz-0.BlitzAdapter")),
        ('"${name}-session"', '"Verifier"', ("second object Verifier", "line 7")),
        ("<option>a", "<options>a", ("can't be read",)),
        ("<option>-Xdebug</option>", "<opt>-Xdebug</opt>", ("line 49: <opt>", "not known; is <option> meant?")),
        ('<log path="${log}"', '<log path=""', ("line 42: <log>", "empty attribute path")),
        ('service="Second"', 'service="Third"', ("line 64", "service Third", "OMERO.IceStorm doesn't have")),
        ('<service name="Second"', '<service name="IceStorm"', ("line 27", "second service IceStorm")),
        ("<distrib/>\n", "<node name='x'/>\n", ("line 53: <node", "doesn't belong inside <server>")),
        ('<node name="empty"/>', '<server id="x" exe="y"/>', ("line 67: <server", "inside <application>")),
        ('<server id="Late"', '<server id="Blitz-0"', ("line 68", "second server Blitz-0", "line 61")),
        ('<server id="Late"', '<server id="${empty}"', ("line 68", "variable empty")),
        ('name="empty"/>', 'name="empty"/><variable name="empty" value=""/><node name="${empty}"/>', ()),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, words: tuple[str, ...]) -> None:
    assert old in APPLICATION
    file = write(tmp_path, APPLICATION.replace(old, new, 1))
    if not words:
        assert describe_application(file)
        return
    message = problem(file)
    assert [word for word in (str(file), *words) if word not in message] == [], message


def test_a_name_that_is_empty_in_the_end(tmp_path: Path) -> None:
    text = """<icegrid><application name="A"><variable name="x" value=""/>
      <node name="n"><server id="${x}" exe="e"/></node></application></icegrid>"""
    assert "has the id '${x}', which is empty" in problem(write(tmp_path, text))


def test_includes_that_go_in_a_circle(tmp_path: Path) -> None:
    text = '<icegrid><application name="A"><include file="b.xml"/></application></icegrid>'
    file = write(
        tmp_path, text, b='<icegrid>\n<include file="c.xml"/></icegrid>', c='<icegrid><include file="b.xml"/></icegrid>'
    )
    message = problem(file)
    assert f"{tmp_path / 'c.xml'} line 1" in message
    assert "includes this one: b.xml -> c.xml -> b.xml" in message


def test_an_include_that_is_no_path(tmp_path: Path) -> None:
    text = f'<icegrid><application name="A"><include file="{"x" * 5000}"/></application></icegrid>'
    assert "which is missing" in problem(write(tmp_path, text))
    assert known_targets(tmp_path / "default.xml") == set()


def test_variables_that_double(tmp_path: Path) -> None:
    """A few lines must not fill the memory."""
    for first in ("", "x" * 100):
        doubling = "".join(f'<variable name="v{n + 1}" value="${{v{n}}}${{v{n}}}"/>' for n in range(45))
        text = f"""<icegrid><application name="A"><variable name="v0" value="{first}"/>{doubling}
          <node name="n"><server id="s${{v45}}" exe="e"/></node></application></icegrid>"""
        file = write(tmp_path, text)
        if first:
            assert "longer than 1000000 characters" in problem(file)
        else:
            assert read_servers(file)[0].identifier == "s"


def test_property_sets_that_double(tmp_path: Path) -> None:
    for first in ("", '<property name="a" value="b"/>'):
        doubling = "".join(
            f'<properties id="p{n + 1}"><properties refid="p{n}"/><properties refid="p{n}"/></properties>'
            for n in range(40)
        )
        text = f"""<icegrid><application name="A"><properties id="p0">{first}</properties>{doubling}
          <node name="n"><server id="s" exe="e"><properties refid="p40"/></server></node></application></icegrid>"""
        file = write(tmp_path, text)
        if first:
            assert "more than 50000 properties" in problem(file)
        else:
            assert read_servers(file)[0].properties == ()


def test_long_chains(tmp_path: Path) -> None:
    variables = "".join(f'<variable name="v{n}" value="${{v{n + 1}}}"/>' for n in range(2000))
    text = f"""<icegrid><application name="A">{variables}<node name="n"><server id="${{v0}}" exe="e"/></node>
      </application></icegrid>"""
    assert "more than 50 times in a row" in problem(write(tmp_path, text))
    files = {f"f{n}": f'<icegrid><include file="f{n + 1}.xml"/></icegrid>' for n in range(2000)}
    text = '<icegrid><application name="A"><include file="f0.xml"/></application></icegrid>'
    assert "one include too many" in problem(write(tmp_path, text, **files))


@pytest.mark.parametrize("targets", [(), ("debug",), ("repo", "trace", "jmx")])
def test_a_distribution_as_it_is_shipped(tmp_path: Path, targets: tuple[str, ...]) -> None:
    """With its tokens and placeholders, which are rendered before a server is started."""
    file = write(
        tmp_path,
        (DISTRIBUTION / "default.xml").read_text(),
        templates=(DISTRIBUTION / "templates.xml").read_text(),
        config=CONFIG,
    )
    described = describe_application(file, targets)
    master = described.nodes[0]
    assert master.servers == (
        "OMERO.Glacier2", "Blitz-0", "Indexer-0", "DropBox", "MonitorServer", "FileServer", "OMERO.IceStorm",
        "PixelData-0", "Processor-0", "Tables-0", "TestDropBox",
    )  # fmt: skip
    assert ("Repository-1" in [server.process.identifier for server in described.servers]) == ("repo" in targets)
    blitz, storm = described.server("Blitz-0"), described.server("OMERO.IceStorm")
    assert blitz is not None
    assert storm is not None
    assert "MEMORY:blitz" in blitz.process.options
    assert "-Domero.logfile=var/log/${omero.name}.log" in blitz.process.options
    assert blitz.process.properties[-1] == ("REPLACEMENT:blitz", "REPLACEME")
    assert ("omero.db.pass", "${not}ours") in blitz.process.properties
    assert blitz.adapters[0].replica_group == described.replica_groups[0].id == "BlitzAdapters"
    assert described.replica_groups[0].load_balancing == LoadBalancing("adaptive", 2, 5)
    assert [one.identity for one in described.replica_groups[0].objects] == ["BlitzVerifier", "BlitzManager"]
    assert [service.name for service in storm.services] == ["IceStorm"]
    activations = {server.process.identifier: server.process.activation for server in described.servers}
    assert activations.pop("TestDropBox") == "manual"
    assert set(activations.values()) == {"always"}

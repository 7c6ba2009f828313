"""`omero config`, verb by verb, as the installed command: what those who know OMERO's own expect of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.profiles import INSTALLED, config_file, environment, installed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The name of a config.xml that isn't there yet."""
    return config_file(tmp_path)


def ok(file: Path, *arguments: str, **extra: str) -> str:
    """Run a verb that must succeed without a word on stderr.

    :return: its output
    """
    done = installed(file, "config", *arguments, **extra)
    assert (done.returncode, done.stderr) == (0, ""), (arguments, done)
    return done.stdout


def refused(file: Path, status: int, *arguments: str, **extra: str) -> str:
    """Run a verb that must fail, in at most a line and a hint, and change nothing.

    :return: what it says
    """
    before = file.read_bytes() if file.exists() else None
    done = installed(file, "config", *arguments, **extra)
    assert (done.returncode, done.stdout) == (status, ""), (arguments, done)
    assert 1 <= len(done.stderr.splitlines()) <= 2
    assert done.stderr.startswith("omero: ")
    assert (file.read_bytes() if file.exists() else None) == before
    return done.stderr


def test_a_new_instance_has_one_empty_profile(file: Path) -> None:
    assert ok(file, "all") == "default\n"
    assert ok(file, "def") == "default\n"
    assert ok(file, "version") == "5.1.0\n"
    assert ok(file, "get") == ok(file, "keys") == ok(file, "get", "omero.db.host") == ""
    assert ok(file, "path") == f"{file}\n"
    assert not file.exists()


def test_set_get_keys_and_remove(file: Path) -> None:
    for name, value in (("omero.db.name", "omero"), ("omero.db.host", "db"), ("Empty", ""), ("text", "é <&>\n\"'\t")):
        assert ok(file, "set", name, value) == ""
    assert ok(file, "keys") == "Empty\nomero.db.host\nomero.db.name\ntext\n"
    assert ok(file, "get", "text") == "é <&>\n\"'\t\n"
    assert ok(file, "get", "omero.db.name", "omero.db.host", "never") == "omero.db.host=db\nomero.db.name=omero\n"
    assert ok(file, "get", "omero.db.host", "omero.db.host") == "omero.db.host=db\n" * 2
    assert ok(file, "set", "omero.db.host") == ""
    assert ok(file, "get", "omero.db.host") == ""
    assert ok(file, "set", "text", "") == ""
    assert ok(file, "get", "text") == "\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_report_says_what_has_changed_and_no_more(file: Path) -> None:
    assert ok(file, "set", "--report", "omero.db.name", "x") == "Changed: Set omero.db.name:x\n"
    before = file.read_bytes()
    assert ok(file, "set", "--report", "omero.db.name", "x") == ""
    assert file.read_bytes() == before
    assert ok(file, "set", "--report", "omero.db.name") == "Changed: Removed omero.db.name\n"
    assert ok(file, "set", "--report", "omero.db.name") == ""
    assert ok(file, "append", "--report", "omero.web.apps", '"a"') == 'Changed: Appended omero.web.apps:"a"\n'
    assert ok(file, "append", "--set", "--report", "omero.web.apps", '"a"') == ""
    assert ok(file, "remove", "--report", "omero.web.apps", '"a"') == 'Changed: Removed omero.web.apps:"a"\n'
    assert ok(file, "set", "--report", "omero.db.pass", "x") == "Changed: Set omero.db.pass:********\n"
    assert ok(file, "append", "--report", "my.password", '"x"') == "Changed: Appended my.password:********\n"


def test_values_from_files(file: Path, tmp_path: Path) -> None:
    (tmp_path / "value").write_text('["a",\n "b"]\n\n')
    assert ok(file, "set", "omero.web.apps", "-f", str(tmp_path / "value")) == ""
    assert ok(file, "get", "omero.web.apps") == '["a",\n "b"]\n'
    assert installed(file, "config", "set", "a", "--file", "-", input_text="x \n").returncode == 0
    assert ok(file, "get", "a") == "x\n"
    assert "nowhere" in refused(file, 3, "set", "a", "-f", "/nowhere")


def test_slips_of_set(file: Path) -> None:
    assert "omero config set a b" in refused(file, 2, "set", "a=b")
    assert "omero config set a 'b c'" in refused(file, 2, "set", "a=", "b c")
    assert "a b" in refused(file, 2, "set", "a b", "c")
    assert "geheim" not in refused(file, 2, "set", "omero.db.pass=geheim")
    assert "not shown" in refused(file, 3, "set", "omero.db.pass", "********")
    assert ok(file, "set", "--force", "omero.db.pass", "********") == ok(file, "set", "my.text", "********") == ""
    assert "many" in refused(file, 2, "set", "omero.db.port", "many")
    assert ok(file, "set", "--force", "omero.db.port", "many") == ""
    slip = installed(file, "config", "set", "omero.db.hots", "x")
    assert (slip.returncode, slip.stdout) == (0, "")
    assert "omero.db.host" in slip.stderr
    assert ok(file, "set", "my.own", "x") == ""


def test_many_slips_at_once_are_few_words(file: Path) -> None:
    lines = "".join(f"omero.my.{number}=x\n" for number in range(30))
    done = installed(file, "config", "load", input_text=lines)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (0, "", 11)
    assert "20 more names" in done.stderr
    assert len(ok(file, "keys").splitlines()) == 30


def test_passwords_are_masked_in_listings_only(file: Path) -> None:
    names = ["omero.db.pass", "omero.ldap.password", "MY.PASSWORD", "my.SecretPass", "my.secret", "my.secret_key"]
    for name in names:
        ok(file, "set", name, "geheim")
        assert ok(file, "get", name) == "geheim\n"
    ok(file, "set", "my.pass", "")
    listing = "".join(f"{name}={'' if name == 'my.pass' else '********'}\n" for name in sorted([*names, "my.pass"]))
    assert ok(file, "get") == ok(file, "get", "--hide-password") == ok(file, "get", *names, "my.pass") == listing
    assert ok(file, "get", "--show-password") == listing.replace("********", "geheim")


def test_list_is_get_by_its_old_name(file: Path) -> None:
    ok(file, "set", "a", "b")
    ok(file, "set", "omero.db.pass", "geheim")
    done = installed(file, "config", "list")
    assert (done.returncode, done.stdout) == (0, ok(file, "get"))
    assert done.stderr.startswith("WARNING: ")
    assert "omero config get" in done.stderr
    assert installed(file, "config", "list", "--show-password").stdout == "a=b\nomero.db.pass=geheim\n"


def test_lists_of_json(file: Path) -> None:
    for item in ("1", '"two"', '{"three": [3]}', "1"):
        assert ok(file, "append", "my.list", item) == ""
    assert ok(file, "get", "my.list") == '[1, "two", {"three": [3]}, 1]\n'
    assert ok(file, "append", "--set", "my.list", '{"three":[3]}') == ""
    assert ok(file, "remove", "my.list", "1") == ""
    assert ok(file, "get", "my.list") == '["two", {"three": [3]}, 1]\n'
    assert "not JSON" in refused(file, 2, "append", "my.list", "two")
    assert '"four"' in refused(file, 3, "remove", "my.list", '"four"')
    assert "my.other" in refused(file, 3, "remove", "my.other", "1")
    ok(file, "set", "my.text", "text")
    ok(file, "set", "my.object", "{}")
    for verb in ("append", "remove"):
        assert "my.text" in refused(file, 3, verb, "my.text", "1")
        assert "my.object" in refused(file, 3, verb, "my.object", "1")
        assert "omero.web.debug" in refused(file, 3, verb, "omero.web.debug", "1")
        refused(file, 2, verb, "my.list")


def test_lists_of_the_web_start_from_their_default(file: Path) -> None:
    ok(file, "append", "omero.web.ui.top_links", '["More", "https://example.org/", {"title": "x"}]')
    links = json.loads(ok(file, "get", "omero.web.ui.top_links"))
    assert len(links) > 1
    assert links[-1] == ["More", "https://example.org/", {"title": "x"}]
    ok(file, "set", "omero.web.ui.top_links")
    ok(file, "remove", "omero.web.ui.top_links", json.dumps(links[0]))
    assert json.loads(ok(file, "get", "omero.web.ui.top_links")) == links[1:-1]


def test_the_type_of_a_list_is_checked(file: Path) -> None:
    assert "--force" in refused(file, 2, "append", "omero.web.apps", "1")
    assert ok(file, "append", "--force", "omero.web.apps", "1") == ""
    assert ok(file, "get", "omero.web.apps") == "[1]\n"


def load(file: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Load a text from stdin."""
    return installed(file, "config", "load", *options, input_text=text)


def test_load_takes_javas_properties(file: Path) -> None:
    text = (
        "# a comment\n! another\n\n  omero.db.name = omero\nomero.db.user:db\nmy.long=one,\\\n    two\n"
        "my.accent=\\u00e9é\nmy.lines=a\\nb\nmy.regular=\\\\d+ \\=\nmy.empty\n"
    )
    done = load(file, text, "--report")
    assert (done.returncode, done.stderr) == (0, "")
    assert min(done.stdout.splitlines()) == "Changed: Set my.accent:éé"
    assert ok(file, "get") == (
        "my.accent=éé\nmy.empty=\nmy.lines=a\nb\nmy.long=one,two\nmy.regular=\\d+ =\nomero.db.name=omero\n"
        "omero.db.user=db\n"
    )
    again = load(file, text, "--report")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_load_is_all_or_nothing(file: Path, tmp_path: Path) -> None:
    ok(file, "set", "a", "1")
    ok(file, "set", "omero.db.pass", "geheim")
    before = file.read_bytes()
    for text, words in (
        ("b=1\na=2\n", "stdin:2: a has another value already"),
        ("b=1\nb=2\n", "stdin:2: b has another value already"),
        ("b=1\nomero.db.port=many\n", "stdin:2: omero.db.port is 'many'"),
        ("b=1\nomero.db.pass=********\n", "stdin:2: omero.db.pass is ********"),
        ("b=1\n=2\n", "stdin:2: there is no name"),
        ("b=1\na b\\ c=\\u00\n", "stdin:2: "),
    ):
        done = load(file, text)
        assert (done.returncode in (2, 3), done.stdout, words in done.stderr) == (True, "", True), done
        assert file.read_bytes() == before
    assert load(file, "b=1\nomero.db.pass=********\n", "-q").returncode == 3
    (tmp_path / "one").write_text("b=1\n")
    (tmp_path / "two").write_text("a=2\n")
    assert "two:1" in refused(file, 3, "load", str(tmp_path / "one"), str(tmp_path / "two"))
    assert "three" in refused(file, 3, "load", str(tmp_path / "one"), str(tmp_path / "three"))
    assert ok(file, "load", "-q", str(tmp_path / "one"), str(tmp_path / "two")) == ""
    assert ok(file, "get") == "a=2\nb=1\nomero.db.pass=********\n"


def test_parse(file: Path, tmp_path: Path) -> None:
    defaults = ok(file, "parse").splitlines()
    assert ok(file, "parse", "--defaults", OMERODIR="").splitlines() == defaults
    assert {"omero.db.host=localhost", "omero.web.debug=false"} <= set(defaults)
    server = ok(file, "parse", "--no-web").splitlines()
    assert [line for line in defaults if line.startswith("omero.web.")] == [
        line for line in defaults if line not in server
    ]
    assert "Database (" in ok(file, "parse", "--headers")
    assert "\t poolsize\n" in ok(file, "parse", "--keys")
    assert "omero.db.poolsize" in ok(file, "parse", "--rst")
    (tmp_path / "own.properties").write_text("# What it is.\nomero.my.own=3\n")
    assert ok(file, "parse", "--no-web", "-f", str(tmp_path / "own.properties")) == "omero.my.own=3\n"
    assert "exclude" in refused(file, 2, "parse", "--keys", "--rst")


def test_profiles(file: Path) -> None:
    ok(file, "set", "a", "1")
    assert ok(file, "set", "a", "2", OMERO_CONFIG="test") == ""
    assert ok(file, "all") == "default\ntest\n"
    assert (ok(file, "get", "a"), ok(file, "get", "a", OMERO_CONFIG="test")) == ("1\n", "2\n")
    assert (ok(file, "def"), ok(file, "def", OMERO_CONFIG="test")) == ("default\n", "test\n")
    assert ok(file, "def", "test") == "test\n"
    assert (ok(file, "def"), ok(file, "get", "a")) == ("test\n", "2\n")
    assert ok(file, "def", "new") == "new\n"
    assert ok(file, "all") == "new\ndefault\ntest\n"
    assert ok(file, "drop", "test") == ""
    assert ok(file, "all") == "new\ndefault\n"
    ok(file, "set", "a", "3")
    assert ok(file, "drop", "new") == ""
    assert (ok(file, "def"), ok(file, "get")) == ("new\n", "")
    assert "test" in refused(file, 2, "drop", "test")
    assert "__ACTIVE__" in refused(file, 2, "def", "__ACTIVE__")


def test_drop_of_the_only_profile_of_a_new_instance(file: Path) -> None:
    # The first line of what roles for Ansible give to `omero load`.
    assert ok(file, "drop", "default") == ""
    assert ok(file, "all") == "default\n"


def test_resolve(file: Path) -> None:
    ok(file, "set", "omero.data.dir", "/data")
    ok(file, "set", "a", "${omero.data.dir}/${omero.db.host}/${OTHER}")
    assert ok(file, "get", "a") == "${omero.data.dir}/${omero.db.host}/${OTHER}\n"
    assert ok(file, "get", "--resolve", "a") == "/data/localhost/${OTHER}\n"
    assert ok(file, "get", "--resolve", "omero.managed.dir") == "/data/ManagedRepository\n"
    ok(file, "set", "omero.db.pass", "geheim")
    ok(file, "set", "b", "<${omero.db.pass}>")
    assert ok(file, "get", "--resolve", "b", "omero.db.pass") == "b=<********>\nomero.db.pass=********\n"
    assert ok(file, "get", "--resolve", "b") == "<geheim>\n"
    ok(file, "set", "c", "${d}")
    ok(file, "set", "d", "${c}")
    assert "c -> d -> c" in refused(file, 3, "get", "--resolve", "c")


def test_json(file: Path) -> None:
    ok(file, "set", "omero.db.pass", "geheim")
    ok(file, "set", "a", "two\nlines")
    assert json.loads(ok(file, "get", "--json")) == {
        "schema": "omeroadmin/config/get/1",
        "profile": "default",
        "version": "5.1.0",
        "properties": {"a": "two\nlines", "omero.db.pass": None},
        "masked": ["omero.db.pass"],
    }
    shown = json.loads(ok(file, "get", "--json", "--show-password"))
    assert (shown["properties"]["omero.db.pass"], shown["masked"]) == ("geheim", [])


def test_source(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.xml"
    assert str(other) in refused(file, 3, "--source", str(other), "get")
    ok(file, "set", "a", "1")
    other.write_bytes(file.read_bytes())
    ok(file, "--source", str(other), "set", "a", "2")
    assert ok(file, "--source", str(other), "get", "a", OMERODIR="") == "2\n"
    assert ok(file, "--source", str(other), "path", OMERODIR="") == f"{other}\n"
    assert ok(file, "--source", str(other), "keys") == "a\n"
    assert ok(file, "--source", str(other), "append", "b", "1", "--report", OMERODIR="") == "Changed: Appended b:1\n"
    assert ok(file, "get") == "a=1\n"


def test_upgrade(file: Path) -> None:
    assert ok(file, "upgrade") == "Nothing to upgrade\n"
    assert file.exists()
    block = '<properties id="{}"><property name="omero.config.version" value="{}" /><property {} /></properties>'
    file.write_text(
        "<icegrid>"
        + block.format("default", "4.2.0", 'name="omero.ldap.base" value="${omero.dollar}{x}${y}"')
        + block.format("web", "4.2.1", 'name="omero.web.ui.top_links" value="[[1]]"')
        + "</icegrid>"
    )
    assert ok(file, "upgrade") == "Upgraded profile default\nUpgraded profile web\n"
    assert ok(file, "get", "omero.ldap.base") == "{x}@{y}\n"
    links = json.loads(ok(file, "get", "omero.web.ui.top_links", OMERO_CONFIG="web"))
    assert [link[0] for link in links] == ["Data", "History", "Help", 1]
    assert ok(file, "version", OMERO_CONFIG="web") == "5.1.0\n"
    assert ok(file, "upgrade") == "Nothing to upgrade\n"


@pytest.mark.parametrize("end", ["Enter", "end of input", "signal"])
def test_lock(file: Path, end: str) -> None:
    ok(file, "set", "a", "1")
    holder = subprocess.Popen(
        [INSTALLED, "config", "lock"], env=environment(file),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stderr is not None
    assert str(file) in holder.stderr.readline()
    said = refused(file, 6, "set", "a", "2", "--wait", "0")
    assert str(holder.pid) in said
    assert str(holder.pid) in refused(file, 6, "lock", "--wait", "0.1")
    assert ok(file, "get", "a") == "1\n"
    if end == "signal":
        holder.terminate()
    output, _ = holder.communicate("\n" if end == "Enter" else None, timeout=20)
    assert output == ""
    assert holder.returncode == (-15 if end == "signal" else 0)
    assert ok(file, "set", "a", "2", "--wait", "0") == ""


VERBS = ("all", "append k 1", "def", "drop default", "edit", "get", "keys", "list", "load", "lock", "path",
         "remove k 1", "set k 1", "upgrade", "version")  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_no_instance_is_one_clear_line(file: Path, verb: str) -> None:
    words = [
        word
        for word in refused(file, 3, *verb.split(), OMERODIR="", EDITOR="true").splitlines()
        if "WARNING" not in word
    ]
    assert words[0] == "omero: OMERODIR is not set"


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("lock", "path")])
def test_a_damaged_file_is_one_clear_line(file: Path, verb: str) -> None:
    file.write_text("<icegrid>\n<")
    assert f"{file}, line 2: " in refused(file, 3, *verb.split(), EDITOR="true")

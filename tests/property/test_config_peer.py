"""Our profiles and those of OMERO's own `omero/config.py` are the same file, whoever writes and whoever reads."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omeroadmin.profiles.reader import RESERVED, read_content, read_profile
from omeroadmin.profiles.store import activate_profile, drop_profile, ensure_saved, update_profile
from tests.support import peer
from tests.support.profiles import config_file, environment, omero

PROFILES = ("default", "ldap", "an-other.1")
names = st.from_regex(r"[A-Za-z0-9._-]{1,12}", fullmatch=True).filter(lambda name: name not in RESERVED)
values = st.text(
    st.one_of(
        st.sampled_from("\t\n\r\"'<>&]["), st.characters(min_codepoint=32, exclude_categories=["Cs"])
    ),
    max_size=20,
).filter(lambda value: not set(value) & {"\ufffe", "\uffff"})  # fmt: skip


@dataclass(frozen=True)
class Operation:
    """One change; ``value`` is ``None`` for a removal, ``name`` is empty for what concerns a whole profile."""

    verb: str
    profile: str
    name: str = ""
    value: str = ""


some_profile = st.sampled_from(PROFILES)
few_names = st.sampled_from(["omero.db.host", "a", "b"]) | names
operations = st.lists(
    st.builds(Operation, st.just("set"), some_profile, few_names, values)
    | st.builds(Operation, st.just("remove"), some_profile, few_names)
    | st.builds(Operation, st.sampled_from(["activate", "drop"]), some_profile),
    max_size=8,
)


@pytest.fixture(scope="module", autouse=True)
def _peer() -> None:
    peer.require_config_module()


@contextmanager
def files(count: int) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory() as directory:
        yield [Path(directory, f"{number}.xml") for number in range(count)]


def ours(file: Path, operation: Operation) -> None:
    match operation.verb:
        case "set":
            update_profile(file, {operation.name: operation.value}, profile=operation.profile)
        case "remove":
            update_profile(file, {}, [operation.name], operation.profile)
        case "activate":
            activate_profile(file, operation.profile)
        case "drop":
            drop_profile(file, operation.profile)


def theirs(file: Path, operation: Operation) -> None:
    with peer.opened(file, operation.profile if operation.verb in ("set", "remove") else None) as config:
        match operation.verb:
            case "set":
                config[operation.name] = operation.value
            case "remove":
                del config[operation.name]
            case "activate":
                config.default(operation.profile)
            case "drop":
                config.remove(operation.profile)


class Model:
    """What the file must say."""

    def __init__(self) -> None:
        self.active = "default"
        self.profiles: dict[str, dict[str, str]] = {"default": {}}

    def can(self, operation: Operation) -> bool:
        """Whether the operation is one that both allow."""
        return operation.verb in ("set", "activate") or operation.profile in self.profiles

    def apply(self, operation: Operation) -> None:
        """Carry it out."""
        match operation.verb:
            case "set":
                self.profiles.setdefault(operation.profile, {})[operation.name] = operation.value
            case "remove":
                self.profiles[operation.profile].pop(operation.name, None)
            case "activate":
                self.active = operation.profile
            case "drop":
                del self.profiles[operation.profile]
        if self.active not in self.profiles:
            self.profiles = {self.active: {}, **self.profiles}

    @property
    def lists(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Everything in its order."""
        return as_lists(self.profiles)


def as_lists(profiles: dict[str, dict[str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    return [(name, list(properties.items())) for name, properties in profiles.items()]


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), operations), max_size=4))
def test_whoever_writes_both_read_the_same(turns: list[tuple[bool, list[Operation]]]) -> None:
    model = Model()
    with files(1) as (file,):
        ensure_saved(file)
        for is_ours, turn in turns:
            for operation in filter(model.can, turn):
                (ours if is_ours else theirs)(file, operation)
                model.apply(operation)
            assert peer.read_all(file) == (model.active, model.profiles)
            assert as_lists(peer.read_all(file)[1]) == model.lists
            content = read_content(file)
            assert content.active == model.active
            assert as_lists({name: content.profile(name).values for name in content.names()}) == model.lists


def body(file: Path) -> str:
    """The content without the moment at which it was written."""
    return re.sub(r"generated at .*? by", "generated at … by", file.read_text("utf-8"))


@settings(deadline=None)
@given(operations)
def test_the_same_operations_give_the_same_bytes(changes: list[Operation]) -> None:
    model = Model()
    with files(2) as (our_file, their_file):
        ensure_saved(our_file)
        with peer.opened(their_file):
            pass
        assert body(our_file) == body(their_file)
        for operation in filter(model.can, changes):
            ours(our_file, operation)
            theirs(their_file, operation)
            model.apply(operation)
            assert body(our_file) == body(their_file)


def test_what_neither_knows_is_kept(tmp_path: Path) -> None:
    file = config_file(
        tmp_path,
        '<icegrid><!-- mine --><properties id="default"><property name="a" value="1" more="2" /><other x="y" />'
        '</properties><node name="n" /><include file="templates.xml" /></icegrid>',
    )
    with peer.opened(file) as config:
        config["b"] = "2"
    update_profile(file, {"c": "3"})
    text = file.read_text()
    assert text.count('<property name="a" value="1" more="2" />') == 2
    assert '<other x="y" />' in text
    # Theirs drops what stands beside the profiles; ours doesn't.
    file.write_text(text.replace("<include", '<!-- mine --><node name="n" /><include'))
    update_profile(file, {"c": "4"})
    assert '<!-- mine --><node name="n" />' in file.read_text()
    assert peer.read_all(file)[1]["default"] == {"a": "1", "b": "2", "c": "4"}


def test_a_new_file_of_theirs_that_is_still_empty(tmp_path: Path) -> None:
    file = config_file(tmp_path, "")
    assert read_profile(file).values == {}
    update_profile(file, {"a": "1"})
    assert peer.read_all(file) == ("default", {"default": {"a": "1"}})


def test_their_lock_makes_ours_wait_and_give_up(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    with peer.opened(file):
        done = omero(file, "config", "set", "a", "2", "--wait", "0.2")
        assert (done.returncode, done.stdout) == (6, "")
        assert "locked" in done.stderr
        assert "0.2 s" in done.stderr
        assert omero(file, "config", "get", "a").stdout == "1\n"
        waiting = subprocess.Popen(
            [sys.executable, "-m", "omeroadmin", "config", "set", "a", "2", "--wait", "30"], env=environment(file)
        )
        assert omero(file, "config", "set", "a", "3", "--wait", "0.5").returncode == 6
        assert waiting.poll() is None
    assert waiting.wait(timeout=30) == 0
    assert peer.read_all(file)[1]["default"] == {"a": "2"}


def test_our_lock_stops_theirs(tmp_path: Path) -> None:
    from portalocker import LockException

    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    holder = subprocess.Popen(
        [sys.executable, "-m", "omeroadmin", "config", "lock"],
        env=environment(file), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stderr is not None
        assert str(file) in holder.stderr.readline()
        with pytest.raises(LockException), peer.opened(file):
            pass
        assert peer.read_all(file)[1]["default"] == {"a": "1"}
    finally:
        holder.communicate("\n", timeout=20)
    assert holder.returncode == 0
    with peer.opened(file) as config:
        config["a"] = "2"
    assert read_profile(file).values == {"a": "2"}

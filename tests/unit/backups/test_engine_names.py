"""Addresses, labels and places: what engines are told and tell things by."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.backups.engines.address import local_path, parse_ssh, without_password
from omeroadmin.backups.engines.archiver import FILES, PARTS, RECORD, Label, Stored, parse_label
from omeroadmin.backups.engines.opening import open_engine
from omeroadmin.backups.engines.places import Locator, Places, key_of
from omeroadmin.backups.manifest import Entry
from omeroadmin.backups.scan import Root, walk
from omeroadmin.backups.target import new_id
from omeroadmin.errors import AdminError
from omeroadmin.system import ssh_route
from tests.support.ports import free_port

NAMES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=20)


@given(
    st.from_regex(r"[a-z0-9][a-z0-9.-]{0,20}", fullmatch=True),
    st.none() | st.from_regex(r"[a-z_][a-z0-9_-]{0,8}", fullmatch=True),
    st.none() | st.integers(1, 65535),
    st.from_regex(r"(/[A-Za-z0-9 ._+-]{1,10}){1,4}", fullmatch=True),
)
def test_parts_of_an_ssh_address(host: str, user: str | None, port: int | None, path: str) -> None:
    text = f"ssh://{user + '@' if user else ''}{host}{f':{port}' if port else ''}{path}"
    parsed = parse_ssh(text)
    assert (parsed.host, parsed.user, parsed.port, parsed.path) == (host, user, port, path)


def test_special_addresses() -> None:
    assert parse_ssh("ssh://host/~/omero/").path == "omero"
    assert parse_ssh("ssh://host/a%20b").path == "/a b"
    assert parse_ssh("ssh://[::1]:22/a").host == "::1"
    assert local_path("/srv/restic") == local_path("local:/srv/restic") == local_path("file:///srv/restic")
    assert local_path("sftp:user@host:/srv") is None
    assert local_path("user@host:/srv") is None
    assert without_password("restic:rest:https://me:hunter2@host/x") == "restic:rest:https://me@host/x"


@given(st.sampled_from([PARTS, FILES, f"{RECORD}verified.json", f"{RECORD}drill.json"]))
def test_labels_come_back(kind: str) -> None:
    label = Label(new_id(), kind)
    assert parse_label(label.text()) == label
    assert label.text() != label.text()


@given(st.text(max_size=60))
def test_other_peoples_archives_have_no_label(text: str) -> None:
    assert parse_label(text) is None


@given(st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name))
def test_keys_are_what_json_of_other_programs_has(name: bytes) -> None:
    path = os.fsdecode(name)
    replaced = "".join("\ufffd" if "\udc80" <= letter <= "\udcff" else letter for letter in path)
    asked = "".join("?" if "\udc80" <= letter <= "\udcff" else letter for letter in path)
    assert key_of(path) == key_of(replaced) == key_of(asked)


def test_files_behind_links_are_known_by_their_real_paths(tmp_path: Path) -> None:
    real, outside = tmp_path / "real", tmp_path / "outside"
    (real / "sub").mkdir(parents=True)
    outside.mkdir()
    (real / "sub" / "usual").write_bytes(b"1")
    (outside / "image").write_bytes(b"22")
    (real / "link").symlink_to(outside / "image")
    (real / "again").symlink_to(outside / "image")
    (tmp_path / "data").symlink_to(real)
    root = Root("data", tmp_path / "data")
    with Places(tmp_path / "database") as places:
        entries = []
        for found in places.noting(walk([root])):
            if not found.path.endswith("/"):
                entry = Entry(found.path, found.size, found.mtime_ns, found.mode, "0" * 64)
                entries.append(entry)
                places.noted(entry)
        places.write_exceptions(tmp_path / "places", [root])
        places.write_list(tmp_path / "list")
        listed = (tmp_path / "list").read_bytes().split(b"\0")
        assert listed == [os.fsencode(outside / "image"), os.fsencode(real / "sub" / "usual"), b""]
        usual = (real / "sub" / "usual").stat()
        places.compare([Stored(f"{real}/sub/usual".lstrip("/"), 1, usual.st_mtime_ns // 1000)])
        places.compare([Stored(f"{outside}/image".lstrip("/"), 2, 0), Stored("elsewhere", 1, 0)])
        assert [[entry.path for entry in group] for _, group in places.remaining()] == [["data/again", "data/link"]]
        assert not list(places.remaining())
    locator = Locator(tmp_path / "places")
    assert {entry.path: locator.place(entry) for entry in entries} == {
        "data/again": f"{outside}/image",
        "data/link": f"{outside}/image",
        "data/sub/usual": f"{real}/sub/usual",
    }


def test_a_silent_host_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_route, "_TIMEOUT", 1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
        listener.listen()
        with pytest.raises(AdminError) as caught:
            open_engine(f"ssh://127.0.0.1:{listener.getsockname()[1]}/target").names()
    assert (caught.value.code, caught.value.exit_status) == ("ssh-unreachable", 4)

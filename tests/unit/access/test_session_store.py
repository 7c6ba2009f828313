"""The session store on disk."""

from __future__ import annotations

import os
import stat
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.access.address import Address
from omeroadmin.access.store import SessionStore, StoredSession
from omeroadmin.errors import AdminError

LOCAL = Address("localhost", 4064)


def new_session(user: str = "root", address: Address = LOCAL, group: str = "system") -> StoredSession:
    return StoredSession(address, user, group, str(uuid.uuid4()))


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "sessions")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_are_where_omero_has_them(store: SessionStore) -> None:
    session = new_session()
    store.add(session)
    user_directory = store.directory / "localhost" / "root"
    assert (user_directory / session.key).read_text().splitlines() == [
        "omero.host=localhost",
        "omero.port=4064",
        "omero.user=root",
        "omero.group=system",
        f"omero.sess={session.key}",
    ]
    assert (store.directory / "._LASTHOST_").read_text() == "localhost"
    assert (store.directory / "localhost" / "._LASTUSER_").read_text() == "root"
    assert (user_directory / "._LASTSESS_").read_text() == session.key
    for path in (store.directory, *store.directory.rglob("*")):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path


def test_the_last_one_added_or_used_is_found(store: SessionStore) -> None:
    first, second = new_session(), new_session("user-1", Address("other.example.org", 4064))
    third = new_session(address=Address("localhost", 4063, tls=False))
    for session in (first, second, third):
        store.add(session)
    assert store.find(lambda _: True) == third
    assert store.find(lambda session: session.user == "user-1") == second
    assert store.find(lambda session: session.user == "nobody") is None
    store.use(second)
    assert store.find(lambda _: True) == second
    assert set(store.sessions()) == {first, second, third}
    assert str(third) == "root@tcp://localhost:4063"


def test_a_removed_session_is_gone_and_so_are_its_marks(store: SessionStore) -> None:
    first, second = new_session(), new_session()
    store.add(first)
    store.add(second)
    store.remove(second)
    store.remove(second)
    assert store.find(lambda _: True) == first
    store.remove(first)
    assert store.sessions() == []
    assert not (store.directory / "localhost").exists()


def test_nobody_goes_on_as_somebody_else_after_a_logout(store: SessionStore) -> None:
    root, user, second = new_session("root"), new_session("user-1"), new_session("user-1")
    for session in (root, user, second):
        store.add(session)
    store.remove(second)
    assert store.current(lambda _: True) == user, "the same user's other session"
    store.remove(user)
    assert store.current(lambda _: True) is None
    assert store.current(lambda _: True, "localhost") is None
    assert not store.is_last(root)
    assert store.find(lambda session: session.user == "root") == root, "by name it is still there"
    store.use(root)
    assert store.current(lambda _: True) == root


def test_foreign_files_are_passed_over(store: SessionStore) -> None:
    session = new_session()
    store.add(session)
    user_directory = store.directory / "localhost" / "root"
    (user_directory / "notes").write_text("omero.host=x\nomero.port=1\nomero.sess=other\n")
    (user_directory / "empty").write_text("")
    (user_directory / "port").write_text("omero.host=x\nomero.port=70000\nomero.sess=port\n")
    (user_directory / "bytes").write_bytes(b"\xff\xfe=\0")
    (user_directory / "folder").mkdir()
    assert store.sessions() == [session]


def test_no_store_is_an_empty_one(store: SessionStore) -> None:
    assert store.sessions() == []
    assert store.find(lambda _: True) is None


def test_a_shared_directory_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    SessionStore(tmp_path).add(new_session())
    assert mode(tmp_path) == 0o755
    assert mode(tmp_path / "localhost") == 0o700


def test_failures_name_the_store_and_never_the_key(store: SessionStore) -> None:
    session = new_session()
    store.add(session)
    user_directory = store.directory / "localhost" / "root"
    user_directory.chmod(0o500)
    try:
        if os.geteuid() == 0:
            pytest.skip("root may write anywhere")
        with pytest.raises(AdminError) as caught:
            store.remove(session)
    finally:
        user_directory.chmod(0o700)
    assert caught.value.code == "session-not-stored"
    assert str(store.directory) in caught.value.message
    assert session.key not in f"{caught.value.message}{caught.value.hint}{caught.value.__cause__}"


def test_a_file_in_the_way_never_shows_the_key(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("")
    session = new_session()
    with pytest.raises(AdminError) as caught:
        SessionStore(tmp_path / "sessions").add(session)
    assert caught.value.code == "session-not-stored"
    assert session.key not in str(caught.value)


def test_line_breaks_are_refused(store: SessionStore) -> None:
    with pytest.raises(AdminError, match="line breaks"):
        store.add(new_session("root\nomero.sess=x"))


def test_keys_are_not_in_what_is_logged_or_shown(store: SessionStore) -> None:
    session = new_session()
    assert session.key not in repr(session)
    assert session.key not in str(session)


@given(
    st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20),
    st.sampled_from(["::1", "omero.example.org", "..", ".", "a/../../b"]),
)
def test_names_never_leave_the_store(tmp_path_factory: pytest.TempPathFactory, user: str, host: str) -> None:
    root = tmp_path_factory.mktemp("store")
    store = SessionStore(root / "sessions")
    session = new_session(user, Address(host, 4064))
    store.add(session)
    assert store.sessions() == [session]
    assert [path.name for path in root.iterdir()] == ["sessions"]
    depths = {len(path.relative_to(store.directory).parts) for path in root.rglob("*") if path.name == session.key}
    assert depths == {3}
    store.remove(session)
    assert store.sessions() == []

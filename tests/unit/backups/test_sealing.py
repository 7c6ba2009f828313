"""Trees are sealed and opened as wholes; what can't be read, written or opened ends in one clear error."""

from __future__ import annotations

import dataclasses
import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import pyrage
import pytest

from omeroadmin.backups.keys import Keys, Seal, read_keys, read_seal
from omeroadmin.backups.manifest import Checksum
from omeroadmin.backups.sealing import KEY_NAME, open_file, opened, seal_file, seal_tree
from omeroadmin.backups.snapshot import Snapshot, read_snapshot, write_snapshot
from omeroadmin.errors import AdminError, AdminWarning
from tests.support.components import require_program

CONTENTS = {"database/toc.dat": b"toc", "database/1.dat.gz": b"", "etc/grid/config.xml": b"<icegrid/>" * 9000}
PLAIN = Snapshot("20261128T010203Z-1a25ec", "", 0, 1, True, 0, 0, 0, 0, 0, 0, 0, 0, Checksum(0, ""), "/opt/omero")


@pytest.fixture(scope="module")
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    for name, content in CONTENTS.items():
        path = tmp_path / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "work"


def sealed(work: Path, seal: Seal) -> tuple[Path, Snapshot]:
    directory = work.parent / "snapshot"
    directory.mkdir(mode=0o700)
    seal_tree(work, directory, seal)
    names = [path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()]
    return directory, dataclasses.replace(
        PLAIN, parts=dict.fromkeys(sorted(names), Checksum(0, "")), sealed_to=seal.names
    )


def tree(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_nothing_of_the_clear_bytes_is_left(work: Path, identity: pyrage.x25519.Identity) -> None:
    directory, snapshot = sealed(work, Seal((str(identity.to_public()),)))
    assert set(snapshot.parts) == {f"{name}.age" for name in CONTENTS}
    for path in directory.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
        assert path.is_dir() or b"icegrid" not in path.read_bytes()
    with opened(directory, snapshot, Keys((identity,)), temporary=work.parent) as clear:
        assert tree(clear) == CONTENTS
        assert clear.stat().st_mode & 0o777 == 0o700
    assert not clear.exists()
    with opened(directory, snapshot, Keys((identity,)), only=["etc"], temporary=work.parent) as clear:
        assert set(tree(clear)) == {"etc/grid/config.xml"}


def test_both_the_passphrase_and_a_key_open_it(work: Path, identity: pyrage.x25519.Identity) -> None:
    directory, snapshot = sealed(work, Seal((str(identity.to_public()),), "correct horse"))
    assert snapshot.sealed_to == ("passphrase", str(identity.to_public()))
    for keys in (Keys((identity,)), Keys(passphrase="correct horse"), Keys((identity,), "wrong")):
        with opened(directory, snapshot, keys, temporary=work.parent) as clear:
            assert tree(clear) == CONTENTS


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (Keys(), "backup-key-missing"),
        (Keys(passphrase="wrong"), "backup-key-wrong"),
        (Keys((pyrage.x25519.Identity.generate(),)), "backup-key-wrong"),
    ],
)
def test_without_the_right_key_nothing_is_opened(work: Path, keys: Keys, code: str) -> None:
    directory, snapshot = sealed(work, Seal(passphrase="correct horse"))
    with pytest.raises(AdminError) as caught, opened(directory, snapshot, keys, temporary=work.parent):
        raise AssertionError("opened")
    assert caught.value.code == code
    assert caught.value.exit_status == 3
    assert sorted(path.name for path in work.parent.iterdir()) == ["snapshot", "work"]


def test_a_snapshot_in_the_clear_is_its_own_directory(work: Path) -> None:
    with opened(work, PLAIN, Keys()) as clear:
        assert clear == work


def test_a_snapshot_says_whose_key_it_takes(work: Path, identity: pyrage.x25519.Identity) -> None:
    directory, snapshot = sealed(work, Seal((str(identity.to_public()),)))
    write_snapshot(directory, snapshot)
    assert read_snapshot(directory) == snapshot


def test_parts_from_outside_stay_inside(work: Path, identity: pyrage.x25519.Identity) -> None:
    directory, snapshot = sealed(work, Seal((str(identity.to_public()),)))
    snapshot = dataclasses.replace(snapshot, parts={"../../escaped.age": Checksum(0, "")})
    with pytest.raises(AdminError) as caught, opened(directory, snapshot, Keys((identity,)), temporary=work.parent):
        raise AssertionError("opened")
    assert caught.value.code == "path-escapes"


def test_a_full_disk_is_noticed_at_the_last_byte(tmp_path: Path, identity: pyrage.x25519.Identity) -> None:
    """A content smaller than all buffers fails when the file is closed, a larger one on the way."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    for size, room in ((10, 20), (1_000_000, 300_000)):
        plain = tmp_path / f"plain{size}"
        plain.write_bytes(b"x" * size)
        script = f"""
            import resource, signal, sys
            from pathlib import Path
            from omeroadmin.backups.keys import parse_recipient
            from omeroadmin.backups.sealing import seal_file
            from omeroadmin.errors import AdminError, AdminWarning
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {limit[1]}))
            try:
                seal_file(Path(sys.argv[1]), Path(sys.argv[2]), [parse_recipient(sys.argv[3])])
            except AdminError as error:
                print(error.code)
        """
        arguments = [str(plain), str(tmp_path / f"sealed{size}"), str(identity.to_public())]
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script), *arguments], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "file-not-written"


def test_memory_does_not_grow_with_the_file(tmp_path: Path, identity: pyrage.x25519.Identity) -> None:
    script = """
        import resource, sys
        from pathlib import Path
        from omeroadmin.backups.sealing import open_file, seal_file
        import pyrage
        identity = pyrage.x25519.Identity.generate()
        directory = Path(sys.argv[1])
        for size in (1 << 20, 1 << 27):
            with (directory / "plain").open("wb") as stream:
                stream.truncate(size)
            seal_file(directory / "plain", directory / f"sealed{size}", [identity.to_public()])
            open_file(directory / f"sealed{size}", directory / f"opened{size}", [identity])
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), tmp_path], capture_output=True, text=True, check=True
    )
    small, large = (int(line) for line in done.stdout.split())
    assert large - small < 16 * 1024


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, identity: pyrage.x25519.Identity) -> None:
    (tmp_path / "there").write_bytes(b"mine")
    (tmp_path / "plain").write_bytes(b"x")
    with pytest.raises(AdminError) as caught:
        seal_file(tmp_path / "plain", tmp_path / "there", [identity.to_public()])
    assert caught.value.code == "file-not-written"
    with pytest.raises(AdminError) as caught:
        open_file(tmp_path / "none", tmp_path / "opened", [identity])
    assert caught.value.code == "file-not-read"
    assert (tmp_path / "there").read_bytes() == b"mine"


def test_keys_come_from_options_and_files(tmp_path: Path, identity: pyrage.x25519.Identity) -> None:
    public = str(identity.to_public())
    listed = tmp_path / "recipients"
    listed.write_text(f"# who may open\n\n{public}\n  {public}\n")
    assert read_seal() is None
    assert read_seal([public, str(listed)]) == Seal((public,))
    (tmp_path / "phrase").write_text("correct horse \r\nsecond line\n")
    (tmp_path / "phrase").chmod(0o600)
    seal = read_seal([], tmp_path / "phrase")
    assert seal is not None
    assert seal.passphrase == "correct horse "
    assert "horse" not in repr(seal) + repr(read_keys([], tmp_path / "phrase"))
    private = tmp_path / "identity"
    private.write_text(f"# created\n{identity}\n{pyrage.x25519.Identity.generate()}\n")
    private.chmod(0o600)
    assert len(read_keys([private]).identities) == 2
    assert not read_keys()
    (tmp_path / "locked").write_bytes(pyrage.passphrase.encrypt(private.read_bytes(), "correct horse "))
    (tmp_path / "locked").chmod(0o600)
    assert len(read_keys([tmp_path / "locked"], tmp_path / "phrase").identities) == 2
    with pytest.raises(AdminError) as caught:
        read_keys([tmp_path / "locked"])
    assert caught.value.code == "identity-locked"


@pytest.mark.parametrize(("mode", "words"), [(0o644, "everybody"), (0o604, "everybody"), (0o640, "its group")])
def test_a_passphrase_that_others_can_read_seals_nothing(tmp_path: Path, mode: int, words: str) -> None:
    phrase = tmp_path / "pass phrase"
    phrase.write_text("correct horse\n")
    phrase.chmod(mode)
    with pytest.raises(AdminError, match=words) as caught:
        read_seal([], phrase)
    assert (caught.value.code, caught.value.hint) == ("passphrase-exposed", f"chmod 600 '{phrase}'")
    # What is sealed with it already must be restored all the same.
    with pytest.warns(AdminWarning, match=f"{phrase} is no secret: .*{words}"):
        assert read_keys([], phrase).passphrase == "correct horse"
    phrase.chmod(0o600)
    assert read_seal([], phrase) == Seal((), "correct horse")


def test_ssh_keys_seal_and_open(work: Path, tmp_path: Path) -> None:
    keygen = require_program("ssh-keygen")
    for kind in ("ed25519", "rsa"):
        private = tmp_path / kind
        subprocess.run([keygen, "-q", "-t", kind, "-N", "", "-f", private], check=True)
        seal = read_seal([private.with_suffix(".pub").read_text()])
        assert seal is not None
        place = tmp_path / f"{kind}.age"
        (tmp_path / "plain").write_bytes(b"abc")
        from omeroadmin.backups.keys import parse_recipient

        seal_file(tmp_path / "plain", place, [parse_recipient(text) for text in seal.recipients])
        open_file(place, tmp_path / f"{kind}.opened", read_keys([private]).identities)
        assert (tmp_path / f"{kind}.opened").read_bytes() == b"abc"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "recipients-missing"),
        ("# nothing\n", "recipients-missing"),
        ("age1nonsense\n", "recipient-invalid"),
        ("AGE-SECRET-KEY-1ABC\n", "recipient-invalid"),
        ("ssh-dss AAAA\n", "recipient-invalid"),
    ],
)
def test_lists_of_public_keys_that_are_none(tmp_path: Path, content: str, code: str) -> None:
    (tmp_path / "recipients").write_text(content)
    with pytest.raises(AdminError) as caught:
        read_seal([str(tmp_path / "recipients")])
    assert caught.value.code == code
    assert "SECRET" not in caught.value.message


@pytest.mark.parametrize("content", [b"", b"junk\n", b"\xff\xfe", b"-----BEGIN OPENSSH PRIVATE KEY-----\njunk"])
def test_private_keys_that_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "identity").write_bytes(content)
    (tmp_path / "identity").chmod(0o600)
    with pytest.raises(AdminError) as caught:
        read_keys([tmp_path / "identity"])
    assert caught.value.code == "identity-invalid"
    (tmp_path / "empty").write_bytes(b" \n")
    (tmp_path / "empty").chmod(0o600)
    with pytest.raises(AdminError) as caught:
        read_keys([], tmp_path / "empty")
    assert caught.value.code == "passphrase-missing"


def test_the_program_age_opens_a_snapshot_with_its_key(work: Path) -> None:
    """With ``age -d -i key.age``; it asks a terminal for the passphrase."""
    age = require_program("age")
    directory, _ = sealed(work, Seal(passphrase="correct horse"))
    script = """
        import os, pty, sys
        child, terminal = pty.fork()
        if child == 0:
            os.execv(sys.argv[1], [sys.argv[1], "-d", "-i", sys.argv[2], "-o", sys.argv[4], sys.argv[3]])
        heard = b""
        while b"assphrase" not in heard:
            heard += os.read(terminal, 1000)
        os.write(terminal, b"correct horse\\n")
        try:
            while os.read(terminal, 1000):
                pass
        except OSError:
            pass
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    part, out = directory / "etc" / "grid" / "config.xml.age", work.parent / "out"
    arguments = [str(age), str(directory / KEY_NAME), str(part), str(out)]
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), *arguments], check=True, env=os.environ)
    assert out.read_bytes() == CONTENTS["etc/grid/config.xml"]

"""What is sealed comes back to the bit, opens with age's own program and the reverse, and any damage is noticed."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omeroadmin.backups.sealing import open_file, seal_file
from omeroadmin.errors import AdminError
from tests.support.components import require_program

CHUNK = 1 << 16
"""age encrypts pieces of this size: what is at their borders is what goes wrong."""
SIZES = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]) | st.integers(0, 4 * CHUNK)
CONTENTS = st.builds(lambda piece, size: (piece * (size // len(piece) + 1))[:size], st.binary(min_size=1), SIZES)


@pytest.fixture(scope="module")
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture(scope="module")
def keyfile(identity: pyrage.x25519.Identity, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "identity"
    path.write_text(f"# made for a test\n{identity}\n")
    path.chmod(0o600)
    return path


def sealed(content: bytes, directory: Path, identity: pyrage.x25519.Identity) -> Path:
    plain, place = directory / "plain", directory / "sealed"
    plain.write_bytes(content)
    seal_file(plain, place, [identity.to_public()])
    return place


@given(CONTENTS)
@settings(max_examples=60, deadline=None)
def test_sealed_and_opened_is_the_same(identity: pyrage.x25519.Identity, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        place = sealed(content, directory, identity)
        assert place.stat().st_mode & 0o777 == 0o600
        open_file(place, directory / "opened", [identity])
        assert (directory / "opened").read_bytes() == content


@given(CONTENTS, st.data())
@settings(max_examples=150, deadline=None)
def test_any_damage_is_noticed(identity: pyrage.x25519.Identity, content: bytes, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        place = sealed(content, directory, identity)
        whole = place.read_bytes()
        kind = data.draw(st.sampled_from(["flip", "cut", "append", "drop a piece"]))
        # age makes up a part of the header, so that its length differs from run to run.
        at = int(data.draw(st.floats(0, 1, exclude_max=True)) * len(whole))
        damaged = {
            "flip": whole[:at] + bytes([whole[at] ^ (1 << data.draw(st.integers(0, 7)))]) + whole[at + 1 :],
            "cut": whole[:at],
            "append": whole + data.draw(st.binary(min_size=1, max_size=100)),
            "drop a piece": whole[:at] + whole[at + data.draw(st.integers(1, CHUNK + 16)) :],
        }[kind]
        place.write_bytes(damaged)
        with pytest.raises(AdminError) as caught:
            open_file(place, directory / "opened", [identity])
        assert caught.value.code in ("part-damaged", "backup-key-wrong")
        assert not (directory / "opened").exists()


@given(CONTENTS)
@settings(max_examples=8, deadline=None)
def test_the_program_age_opens_it(identity: pyrage.x25519.Identity, keyfile: Path, content: bytes) -> None:
    age = require_program("age")
    with tempfile.TemporaryDirectory() as name:
        place = sealed(content, Path(name), identity)
        done = subprocess.run([age, "--decrypt", "-i", keyfile, place], capture_output=True, check=True)
    assert done.stdout == content


@given(CONTENTS)
@settings(max_examples=8, deadline=None)
def test_what_the_program_age_sealed_is_opened(identity: pyrage.x25519.Identity, content: bytes) -> None:
    age = require_program("age")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name, "sealed")
        recipient = str(identity.to_public())
        subprocess.run([age, "--encrypt", "-r", recipient, "-o", place], input=content, check=True)
        open_file(place, Path(name, "opened"), [identity])
        assert Path(name, "opened").read_bytes() == content

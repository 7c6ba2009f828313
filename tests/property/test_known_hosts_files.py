"""known_hosts: found is what ssh-keygen finds, and what is recorded is found."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omeroadmin.system.ssh_known_hosts import HostKey, look_up, record
from tests.support.components import require_program

BLOBS = [bytes.fromhex("0000000b7373682d6564323535313900000020") + bytes([number]) * 32 for number in range(1, 4)]
KEYS = [HostKey("ssh-ed25519", blob) for blob in BLOBS]
NAMES = ["a", "b.example.org", "[a]:2222", "[b.example.org]:22022"]
PATTERNS = [*NAMES, "*", "?", "!a", "*.example.org", "[*]:2222", "B.Example.org"]


def line(patterns: list[str], key: HostKey, marker: str) -> str:
    import base64

    return f"{marker}{','.join(patterns)} {key.kind} {base64.b64encode(key.blob).decode()}\n"


LINES = st.builds(
    line,
    st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3, unique=True),
    st.sampled_from(KEYS),
    st.sampled_from(["", "", "", "# ", "@revoked ", "@cert-authority "]),
)


def found_by_keygen(path: Path, name: str) -> set[str]:
    keygen = require_program("ssh-keygen", "openssh-client")
    done = subprocess.run([keygen, "-F", name, "-f", path], capture_output=True, text=True, check=False)
    return {text for text in done.stdout.splitlines() if not text.startswith("#")}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, max_size=5), st.sampled_from(NAMES))
def test_found_is_what_keygen_finds(tmp_path: Path, lines: list[str], name: str) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("garbage\n" + "".join(lines))
    known = look_up([path, tmp_path / "missing"], name)
    found = found_by_keygen(path, name)
    revoked = {key for key in KEYS if any(text.endswith(tail(key)) and "@revoked" in text for text in found)}
    plain = {key for key in KEYS if any(text.endswith(tail(key)) and not text.startswith("@") for text in found)}
    assert known.revoked == revoked
    assert known.keys == plain - revoked


def tail(key: HostKey) -> str:
    return line([""], key, "").strip()


@pytest.mark.parametrize("before", ["", "# no end of line", "other ssh-ed25519 AAAA\n"])
def test_recorded_is_found_also_when_it_is_hashed(tmp_path: Path, before: str) -> None:
    path = tmp_path / ".ssh" / "known_hosts"
    if before:
        path.parent.mkdir()
        path.write_text(before)
    for name, key in zip(NAMES, (*KEYS, KEYS[0]), strict=True):
        record(path, name, key)
    assert path.read_text().startswith(before)
    subprocess.run([require_program("ssh-keygen", "openssh-client"), "-H", "-f", path], check=True, capture_output=True)
    assert "example" not in path.read_text()
    for name, key in zip(NAMES, (*KEYS, KEYS[0]), strict=True):
        assert look_up([path], name).keys == {key}
    assert not look_up([path], "c").keys


def test_a_host_shows_the_key_that_is_known(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text("a ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB\n")
    supported = ["ssh-ed25519", "rsa-sha2-512", "ecdsa-sha2-nistp256", "rsa-sha2-256"]
    assert look_up([path], "a").algorithms(supported)[:2] == ["rsa-sha2-512", "rsa-sha2-256"]
    assert look_up([path], "b").algorithms(supported) == supported

"""Certificates, made and read by the real openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tests.support.agents import Worker
from tests.support.components import require_program
from tests.support.wishes import planned


def authority_pair(directory: Path, name: str) -> tuple[str, str]:
    """Certificate and key by an authority that is not the certificate's own."""
    ca, key, pem = directory / "ca", directory / f"{name}.key", directory / f"{name}.pem"
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    commands = [[*new, "-keyout", f"{ca}.key", "-out", f"{ca}.pem", "-subj", "/CN=authority"]]
    signed = ["-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-keyout", str(key), "-out", str(pem), "-subj", f"/CN={name}"]
    commands.append([*new, *signed])
    for command in commands:
        subprocess.run(command, capture_output=True, check=True, timeout=60)
    return pem.read_text(), key.read_text()


def test_self_signed_pair_is_made_kept_and_renewed_with_its_key(local: Worker, tmp_path: Path) -> None:
    require_program("openssl")
    path, key = tmp_path / "tls" / "omero.pem", tmp_path / "tls" / "omero.key"
    usual: dict[str, Any] = {"path": str(path), "key_path": str(key)}
    wish = local.wish("certificate", names=["omero.example.org", "10.0.0.5", "fd00::5"], **usual)
    assert local.apply(wish) == [
        f"make the private key {key}",
        f"make the certificate {path} for omero.example.org, 10.0.0.5, fd00::5: there is none",
    ]
    assert key.stat().st_mode & 0o777 == 0o600
    assert path.stat().st_mode & 0o777 == 0o644
    assert local.apply(wish) == []
    first = key.read_bytes()
    shown = subprocess.run(
        ["openssl", "x509", "-in", path, "-noout", "-text"], capture_output=True, text=True, check=True
    )
    assert "DNS:omero.example.org, IP Address:10.0.0.5" in shown.stdout
    assert "CA:FALSE" in shown.stdout
    # Other names, an end that is near, a mode that somebody opened.
    key.chmod(0o644)
    renamed = local.wish("certificate", names=["omero.example.org"], **usual)
    signed, opened = local.apply(renamed)
    assert signed.endswith(": the present one is for 10.0.0.5, fd00::5, omero.example.org")
    assert opened == f"change mode of {key}"
    near = local.wish("certificate", names=["omero.example.org"], renew_days=366, **usual)
    assert ": the present one ends on 20" in local.apply(near)[0]
    assert local.apply(renamed) == []
    assert key.read_bytes() == first
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["omero.key", "omero.pem"]


def test_pair_of_an_authority_is_checked_placed_and_never_written_over(local: Worker, tmp_path: Path) -> None:
    require_program("openssl")
    content, key_content = authority_pair(tmp_path, "omero.example.org")
    path, key = tmp_path / "omero.pem", tmp_path / "private.key"
    usual: dict[str, Any] = {"path": str(path), "key_path": str(key)}
    _, other = authority_pair(tmp_path, "other")
    error = local.failure(local.wish("certificate", content=content, key_content=other, **usual))
    assert error["code"] == "host-certificate-invalid"
    assert not key.exists()
    wish = local.wish("certificate", content=content, key_content=key_content, **usual)
    assert local.apply(wish) == [f"write the certificate {path} and its key"]
    assert local.apply(wish) == []
    assert key.stat().st_mode & 0o777 == 0o600
    assert key_content.splitlines()[1] not in str(local.facts("certificate", content=content, key_content="x", **usual))
    assert local.apply(local.wish("certificate", names=["elsewhere.example.org"], **usual)) == []
    assert path.read_text() == content
    key.unlink()
    error = local.failure(local.wish("certificate", **usual))
    assert error["code"] == "host-certificate-without-key"


def test_plan_before_anything_is_there() -> None:
    facts = {
        "exists": False, "certificate": False, "not_after": 0, "self_signed": False, "names": [], "fits": False,
        "due": False, "wished_names": ["web1"],
    }  # fmt: skip
    assert planned("certificate", facts, path="/c", key_path="/k") == ["key", "sign"]

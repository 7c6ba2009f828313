"""What is made, what is kept, and what is never touched."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from omeroadmin.certificates import facts as certificate_facts
from omeroadmin.certificates import files
from omeroadmin.certificates.expiry import certificate_expiry
from omeroadmin.certificates.plan import CertificateWish, issue_reason, plan_certificates
from omeroadmin.errors import AdminError
from omeroadmin.schema.settings import Settings
from omeroadmin.system import clock
from omeroadmin.system.local import LocalHost
from tests.support.certificates import authority_issued, complete_settings, make, plan


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings without any file yet."""
    return complete_settings(tmp_path)


def mode(path: Path) -> int:
    """Permission bits."""
    return path.stat().st_mode & 0o777


def test_only_empty_properties_are_set() -> None:
    present = {"omero.glacier2.IceSSL.Ciphers": "HIGH:!DHE", "omero.certificates.commonname": " "}
    missing = certificate_facts.missing_properties(Settings({**present, "omero.data.dir": "/data"}))
    assert "omero.glacier2.IceSSL.Ciphers" not in missing
    assert missing["omero.certificates.commonname"] == "localhost"
    assert missing["omero.glacier2.IceSSL.DefaultDir"] == "/data/certs"
    assert missing["omero.glacier2.IceSSL.CertFile"] == "server.p12"
    assert missing["omero.glacier2.IceSSL.CAs"] == "server.pem"
    assert missing["omero.glacier2.IceSSL.Protocols"] == "TLS1_2,TLS1_3"
    assert len(missing["omero.glacier2.IceSSL.Password"]) >= 32


def test_a_password_that_is_set_stays() -> None:
    settings = Settings({"omero.glacier2.IceSSL.Password": "secret"})
    assert "omero.glacier2.IceSSL.Password" not in certificate_facts.missing_properties(settings)


def test_all_three_files_are_made_once(tmp_path: Path, settings: Settings) -> None:
    assert len(make(settings).steps) == 4
    certs = tmp_path / "certs"
    assert (mode(certs), mode(certs / "server.key"), mode(certs / "server.p12")) == (0o700, 0o600, 0o600)
    assert mode(certs / "server.pem") == 0o644
    assert not plan(settings)


def test_no_secret_is_in_the_plan(settings: Settings) -> None:
    password = settings.text("omero.glacier2.IceSSL.Password")
    shown = plan(settings)
    assert password not in repr(shown)
    assert password not in "\n".join(shown.lines())


def test_the_certificate_names_the_server(tmp_path: Path) -> None:
    settings = complete_settings(tmp_path, commonname="omero.example.org", owner="/C=DE/L=Berlin/O=Institute")
    make(settings, CertificateWish(days=700))
    details = files.read_certificate((tmp_path / "certs" / "server.pem").read_bytes())
    assert details is not None
    assert details.names[:4] == ("omero.example.org", "localhost", *details.names[2:4])
    assert {"127.0.0.1", "::1"} <= set(details.names)
    assert details.subject == "CN=omero.example.org,O=Institute,L=Berlin,C=DE"
    assert details.is_self_signed
    assert details.lifetime == timedelta(days=700, minutes=5)


def test_the_key_is_kept_when_the_certificate_is_renewed(tmp_path: Path, settings: Settings) -> None:
    make(settings)
    certs = tmp_path / "certs"
    before = {path.name: path.read_bytes() for path in certs.iterdir()}
    lines = make(settings, CertificateWish(renew=True)).lines()
    assert len(lines) == 2
    assert "renewal was asked for" in lines[0]
    after = {path.name: path.read_bytes() for path in certs.iterdir()}
    assert before["server.key"] == after["server.key"]
    assert before["server.pem"] != after["server.pem"]
    assert before["server.p12"] != after["server.p12"]


@pytest.mark.parametrize(
    ("days", "passed", "due"), [(365, 334, False), (365, 336, True), (365, 400, True), (30, 19, False), (30, 21, True)]
)
def test_renewal_comes_in_time(settings: Settings, days: int, passed: int, due: bool) -> None:
    make(settings, CertificateWish(days=days))
    facts = certificate_facts.collect_facts(settings, LocalHost())
    later = plan_certificates(facts, CertificateWish(days=days), clock.utc_now() + timedelta(days=passed))
    assert bool(later) is due


def test_another_key_needs_another_certificate(tmp_path: Path, settings: Settings) -> None:
    make(settings)
    (tmp_path / "certs" / "server.key").unlink()
    lines = make(settings).lines()
    assert len(lines) == 3
    assert "another key" in lines[1]
    assert not plan(settings)


def test_another_name_needs_another_certificate(tmp_path: Path, settings: Settings) -> None:
    make(settings)
    renamed = Settings({**settings.explicit(), "omero.certificates.commonname": "new.example.org"})
    assert "not for new.example.org" in make(renamed).lines()[0]
    assert not plan(renamed)


def test_another_password_needs_another_bundle_only(tmp_path: Path, settings: Settings) -> None:
    make(settings)
    changed = Settings({**settings.explicit(), "omero.glacier2.IceSSL.Password": "another"})
    lines = make(changed).lines()
    assert len(lines) == 1
    assert "server.p12" in lines[0]
    assert files.read_bundle((tmp_path / "certs" / "server.p12").read_bytes(), "another") is not None


def test_wide_modes_are_closed(tmp_path: Path, settings: Settings) -> None:
    make(settings)
    key = tmp_path / "certs" / "server.key"
    content = key.read_bytes()
    key.chmod(0o644)
    assert make(settings).lines() == [f"set mode 0600 on {key}"]
    assert (mode(key), key.read_bytes()) == (0o600, content)


@pytest.mark.parametrize("where", ["server.pem", "server.p12"])
def test_what_an_authority_issued_is_never_touched(tmp_path: Path, settings: Settings, where: str) -> None:
    make(settings)
    certs = tmp_path / "certs"
    issued = authority_issued((certs / "server.key").read_bytes(), "omero.example.org")
    if where == "server.pem":
        (certs / where).write_bytes(issued)
    else:
        password = settings.text("omero.glacier2.IceSSL.Password")
        (certs / where).write_bytes(files.bundle((certs / "server.key").read_bytes(), issued, password))
    assert not plan(settings)
    with pytest.raises(AdminError) as raised:
        plan(settings, CertificateWish(renew=True))
    assert raised.value.code == "certificate-foreign"
    assert where in raised.value.message


@pytest.mark.parametrize("kind", ["chain", "not pem"])
def test_other_peoples_files_are_never_touched(tmp_path: Path, settings: Settings, kind: str) -> None:
    make(settings)
    pem = tmp_path / "certs" / "server.pem"
    pem.write_bytes(pem.read_bytes() * 2 if kind == "chain" else b"DER or whatever")
    assert not plan(settings)


@pytest.mark.parametrize("content", [b"damaged", b""])
def test_an_unreadable_key_is_not_replaced(tmp_path: Path, settings: Settings, content: bytes) -> None:
    make(settings)
    (tmp_path / "certs" / "server.key").write_bytes(content)
    with pytest.raises(AdminError) as raised:
        plan(settings)
    assert raised.value.code == "certificate-key-invalid"


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_days_out_of_range(settings: Settings, days: int) -> None:
    with pytest.raises(AdminError) as raised:
        plan(settings, CertificateWish(days=days))
    assert raised.value.code == "certificate-days-invalid"


def test_files_elsewhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    settings = complete_settings(tmp_path)
    settings = Settings({**settings.explicit(), "omero.glacier2.IceSSL.CertFile": str(elsewhere / "omero.p12")})
    make(settings)
    assert (elsewhere / "omero.p12").exists()
    assert not plan(settings)


def test_an_elliptic_key_of_ones_own(tmp_path: Path, settings: Settings) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    certs = tmp_path / "certs"
    certs.mkdir(mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    descriptor = os.open(certs / "server.key", os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert len(make(settings).steps) == 2
    assert not plan(settings)


def test_a_key_that_can_not_be_in_a_certificate() -> None:
    from cryptography.hazmat.primitives.asymmetric import x25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = x25519.X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(AdminError) as raised:
        files.self_signed(key, files.Wanted(("localhost",), (), 1), datetime.now(UTC))
    assert raised.value.code == "certificate-key-invalid"


def test_a_reason_is_given_for_the_end(settings: Settings) -> None:
    make(settings)
    facts = certificate_facts.collect_facts(settings, LocalHost())
    assert facts.certificate is not None
    reason = issue_reason(facts, CertificateWish(), facts.certificate.not_after)
    assert f"{facts.certificate.not_after:%Y-%m-%d}" in reason


def test_expiry_is_read_from_what_is_served(tmp_path: Path, settings: Settings) -> None:
    assert certificate_expiry(Settings({})) is None
    assert certificate_expiry(settings) is None
    make(settings)
    found = certificate_expiry(settings)
    assert found is not None
    assert found.path == tmp_path / "certs" / "server.p12"
    assert 364 < found.days_left(clock.utc_now()) <= 365
    only_directory = Settings({"omero.glacier2.IceSSL.DefaultDir": str(tmp_path / "certs")})
    by_pem = certificate_expiry(only_directory)
    assert by_pem is not None
    assert by_pem.path.name == "server.pem"
    assert by_pem.not_after == found.not_after

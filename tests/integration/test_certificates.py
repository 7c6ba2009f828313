"""openssl takes what we make, and a client that checks names connects."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.schema.settings import Settings
from tests.support.certificates import complete_settings, make
from tests.support.components import require_program
from tests.support.omero import Omero
from tests.support.ports import free_port


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with all files made."""
    settings = complete_settings(tmp_path_factory.mktemp("data"), commonname="omero.example.org")
    make(settings)
    return settings


@pytest.fixture(scope="module")
def certs(settings: Settings) -> Path:
    """Where the files are."""
    return settings.path("omero.glacier2.IceSSL.DefaultDir")


@pytest.fixture(scope="module")
def port(certs: Path) -> Iterator[int]:
    """A TLS server with the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "server.pem", certs / "server.key")
    number = free_port()
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", number)) as listener:
        listener.settimeout(0.2)
        thread = threading.Thread(target=accept, args=(listener, context, stop))
        thread.start()
        yield number
        stop.set()
        thread.join()


def accept(listener: socket.socket, context: ssl.SSLContext, stop: threading.Event) -> None:
    """Shake hands with whoever comes."""
    while not stop.is_set():
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        with connection:
            connection.settimeout(5)
            try:
                with context.wrap_socket(connection, server_side=True) as encrypted:
                    encrypted.recv(1)
            except OSError:
                continue


def openssl(*arguments: str | Path, input_text: str = "") -> subprocess.CompletedProcess[str]:
    """Run the real program."""
    return subprocess.run(
        [require_program("openssl"), *arguments],
        input=input_text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("name", ["omero.example.org", "localhost", socket.gethostname()])
def test_openssl_verifies_it(certs: Path, name: str) -> None:
    pem = certs / "server.pem"
    done = openssl("verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", name, "-CAfile", pem, pem)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_openssl_verifies_the_addresses(certs: Path, address: str) -> None:
    pem = certs / "server.pem"
    assert openssl("verify", "-verify_ip", address, "-CAfile", pem, pem).returncode == 0


def test_openssl_does_not_take_it_for_another_host(certs: Path) -> None:
    pem = certs / "server.pem"
    assert openssl("verify", "-verify_hostname", "other.example.org", "-CAfile", pem, pem).returncode != 0


def test_it_is_no_authority(certs: Path) -> None:
    text = openssl("x509", "-in", certs / "server.pem", "-noout", "-text").stdout
    assert "CA:FALSE" in text
    assert "3072 bit" in text


def test_openssl_opens_the_bundle(certs: Path, settings: Settings) -> None:
    password = settings.text("omero.glacier2.IceSSL.Password")
    done = openssl("pkcs12", "-in", certs / "server.p12", "-nodes", "-passin", "stdin", input_text=f"{password}\n")
    assert done.returncode == 0, done.stderr
    assert "friendlyName: server" in done.stdout
    assert "BEGIN PRIVATE KEY" in done.stdout
    assert "BEGIN CERTIFICATE" in done.stdout
    wrong = openssl("pkcs12", "-in", certs / "server.p12", "-nodes", "-passin", "stdin", input_text="secret\n")
    assert wrong.returncode != 0


def test_openssl_connects(certs: Path, port: int) -> None:
    for host in ("localhost", "127.0.0.1"):
        done = openssl(
            "s_client", "-connect", f"{host}:{port}", "-CAfile", certs / "server.pem", "-verify_return_error"
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "Verify return code: 0 (ok)" in done.stdout


def test_a_strict_client_that_checks_names_connects(certs: Path, port: int) -> None:
    context = ssl.create_default_context(cafile=str(certs / "server.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in ("omero.example.org", "localhost", "127.0.0.1"):
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name) as encrypted,
        ):
            assert encrypted.version() in ("TLSv1.2", "TLSv1.3")


@pytest.fixture
def omero(tmp_path: Path) -> Omero:
    """An instance that was only configured."""
    omero = Omero(tmp_path)
    (omero.omerodir / "etc" / "grid").mkdir(parents=True)
    omero.ok("config", "set", "omero.data.dir", str(omero.data))
    return omero


def test_the_command_plans_makes_and_then_has_nothing_to_do(omero: Omero) -> None:
    planned = omero.ok("certificates", "--dry-run")
    assert planned.startswith("Plan: certificates in ")
    assert not omero.data.exists()
    assert "certificates created" in omero.ok("certificates", "--days", "90")
    password = omero.ok("config", "get", "omero.glacier2.IceSSL.Password").strip()
    assert password
    assert password not in planned
    before = {path: path.read_bytes() for path in (omero.data / "certs").iterdir()}
    assert "nothing to do" in omero.ok("certificates")
    assert {path: path.read_bytes() for path in (omero.data / "certs").iterdir()} == before


def test_the_command_refuses_nonsense(omero: Omero) -> None:
    done = omero.run("certificates", "--days", "0")
    assert done.returncode == 2
    assert "--days 0" in done.stderr
    omero.ok("config", "set", "--force", "omero.certificates.owner", "OMERO")
    done = omero.run("certificates")
    assert done.returncode == 3
    assert "omero.certificates.owner" in done.stderr

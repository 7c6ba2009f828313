"""Turns what goes wrong between client and server into errors that say what to do."""

from __future__ import annotations

import json
import re
import socket
import ssl
from http.client import HTTPException, IncompleteRead
from typing import Any

from omeroadmin.access.address import Address
from omeroadmin.errors import AdminError, configuration_error, failed_error, unreachable_error

_CODE = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST_MESSAGE = 500

SESSION_CODES = frozenset({"session-expired", "session-missing", "session-unknown"})
"""Codes that mean: this key is of no use any more."""


def connect_error(address: Address, error: Exception, timeout: float) -> AdminError:
    """Why no connection came about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_error(address, error)
    if isinstance(error, ssl.SSLError):
        reason = (error.reason or str(error)).replace("_", " ").lower()
        return unreachable_error(
            "server-unreachable",
            f"no TLS with {address}: {reason}",
            "name the server's TLS port, usually 4064; the port without TLS is written tcp://SERVER:4063",
        )
    if isinstance(error, TimeoutError):
        reason = f"no answer within {timeout:g} s"
    elif isinstance(error, socket.gaierror):
        reason = f"the name can't be resolved ({error.strerror})"
    elif isinstance(error, OSError):
        reason = error.strerror or str(error)
    else:
        reason = one_line(str(error))
    return unreachable_error(
        "server-unreachable",
        f"the server {address} can't be reached: {reason}",
        "check host and port, and whether the server runs: omero admin status",
    )


def _certificate_error(address: Address, error: ssl.SSLCertVerificationError) -> AdminError:
    reason = one_line(error.verify_message or str(error)).rstrip(".")
    if error.verify_code == 10:  # X509_V_ERR_CERT_HAS_EXPIRED
        hint = "renew it on the server: omero certificates"
    elif "mismatch" in reason:
        hint = "use the name that the certificate was made for, or make one for this name: omero certificates"
    else:
        hint = "name the file of the authority that signed it: --ca-file FILE or OMERO_CA_FILE"
    return unreachable_error("certificate-untrusted", f"the certificate of {address} is not trusted: {reason}", hint)


def exchange_error(address: Address, error: Exception, timeout: float) -> AdminError:
    """Why a request on a connection got no answer."""
    if isinstance(error, TimeoutError):
        return unreachable_error(
            "server-timeout",
            f"the server {address} did not answer within {timeout:g} s",
            "see what it does: omero admin diagnostics",
        )
    if isinstance(error, (ConnectionError, IncompleteRead, ssl.SSLError)):
        return unreachable_error(
            "connection-lost",
            f"the server {address} closed the connection before it answered",
            "check whether it runs: omero admin status",
        )
    if isinstance(error, HTTPException):
        return not_understood(address, f"{type(error).__name__} {one_line(str(error))}".strip())
    return unreachable_error("connection-lost", f"the connection to {address} failed: {one_line(str(error))}")


def not_understood(address: Address, what: str) -> AdminError:
    """The other side speaks something else."""
    return unreachable_error(
        "answer-invalid",
        f"{address} does not answer as a server of this kind does: {what}",
        "check host and port: 4064 is for TLS, tcp://SERVER:4063 is the port without",
    )


def answer_error(address: Address, status: int, body: bytes) -> AdminError:
    """What a server's refusal means.

    :param status: HTTP status, not one of success
    :param body: the answer's bytes
    """
    code, message = _code_and_message(body)
    if not code:
        return not_understood(address, f"HTTP status {status}")
    if code in SESSION_CODES or (status == 401 and code != "authentication-failed"):
        return configuration_error(
            "session-expired", f"the session on {address} has expired", f"log in again: omero login {address}"
        )
    if code == "authentication-failed":
        return configuration_error(code, f"{address}: {message}", "check user name and password")
    if code == "password-needs-tls":
        return password_needs_tls(address)
    if status == 503:
        return unreachable_error(code, f"{address}: {message}", "see why: omero admin diagnostics")
    return failed_error(code, f"{address}: {message}")


def password_needs_tls(address: Address) -> AdminError:
    """Passwords never travel in the clear."""
    return configuration_error(
        "password-needs-tls",
        f"{address} has no TLS, and a password is sent with TLS only",
        "log in at the TLS port, usually 4064; a session's key works on both: omero login -k -",
    )


def _code_and_message(body: bytes) -> tuple[str, str]:
    try:
        document: Any = json.loads(body)
    except ValueError:
        return "", ""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict) or not _CODE.fullmatch(str(error.get("code", ""))):
        return "", ""
    return str(error["code"]), one_line(str(error.get("message", ""))) or str(error["code"])


def one_line(text: str) -> str:
    """Text from outside as one line without control characters, not too long."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + "…"

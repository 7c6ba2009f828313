"""What refusals and broken connections become."""

from __future__ import annotations

import json
from http.client import BadStatusLine, IncompleteRead

import pytest

from omeroadmin.access.address import Address
from omeroadmin.access.problems import answer_error, connect_error, exchange_error, one_line
from omeroadmin.errors import ExitStatus

HERE = Address("localhost", 4064)


def body(code: str, message: str = "words") -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "content", "code", "exit_status"),
    [
        (401, body("authentication-failed"), "authentication-failed", ExitStatus.CONFIGURATION),
        (401, body("session-expired"), "session-expired", ExitStatus.CONFIGURATION),
        (401, body("unauthorized"), "session-expired", ExitStatus.CONFIGURATION),
        (403, body("password-needs-tls"), "password-needs-tls", ExitStatus.CONFIGURATION),
        (403, body("admin-needed"), "admin-needed", ExitStatus.FAILED),
        (422, body("unreadable-image"), "unreadable-image", ExitStatus.FAILED),
        (503, body("search-unavailable"), "search-unavailable", ExitStatus.UNREACHABLE),
        (502, b"<html>", "answer-invalid", ExitStatus.UNREACHABLE),
        (500, b"[]", "answer-invalid", ExitStatus.UNREACHABLE),
        (500, body("NOT A CODE"), "answer-invalid", ExitStatus.UNREACHABLE),
    ],
)
def test_answers(status: int, content: bytes, code: str, exit_status: ExitStatus) -> None:
    error = answer_error(HERE, status, content)
    assert (error.code, error.exit_status) == (code, exit_status)
    assert "localhost:4064" in error.message


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (TimeoutError(), "server-timeout"),
        (ConnectionResetError(), "connection-lost"),
        (IncompleteRead(b""), "connection-lost"),
        (BadStatusLine("SSH-2.0"), "answer-invalid"),
        (OSError("odd"), "connection-lost"),
    ],
)
def test_exchanges(cause: Exception, code: str) -> None:
    assert exchange_error(HERE, cause, 3).code == code


def test_connecting() -> None:
    assert "no answer within 3 s" in connect_error(HERE, TimeoutError(), 3).message
    assert "odd" in connect_error(HERE, ValueError("odd"), 3).message


def test_text_from_outside_stays_one_line() -> None:
    assert one_line("a\r\n\x1b[31mb\tc") == "a [31mb c"
    assert len(one_line("x" * 10000)) == 501

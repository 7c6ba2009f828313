"""What PostgreSQL keeps of a password (RFC 5802), so that the password itself never goes to the server or its log."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import stringprep
import unicodedata

_ITERATIONS = 4096
_PROHIBITED = (
    stringprep.in_table_a1, stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3,
    stringprep.in_table_c4, stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7,
    stringprep.in_table_c8, stringprep.in_table_c9,
)  # fmt: skip


def make_verifier(password: str, salt: bytes = b"", iterations: int = _ITERATIONS) -> str:
    """The verifier to store for a password.

    :param salt: by default 16 random bytes
    """
    salt = salt or os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password).encode(), salt, iterations)
    stored = hashlib.sha256(hmac.new(salted, b"Client Key", "sha256").digest()).digest()
    server = hmac.new(salted, b"Server Key", "sha256").digest()
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def verifies(password: str, verifier: str) -> bool:
    """Whether a stored verifier is that of a password; what isn't a SCRAM verifier is not."""
    try:
        mechanism, parameters, _ = verifier.split("$")
        iterations, salt = parameters.split(":")
        made = make_verifier(password, base64.b64decode(salt, validate=True), int(iterations))
    except (ValueError, OverflowError):
        return False
    return mechanism == "SCRAM-SHA-256" and hmac.compare_digest(made, verifier)


def _prepared(password: str) -> str:
    """SASLprep as PostgreSQL does it: a password that it forbids is taken as it is."""
    mapped = "".join(
        " " if stringprep.in_table_c12(letter) else letter for letter in password if not stringprep.in_table_b1(letter)
    )
    normal = unicodedata.normalize("NFKC", mapped)
    if not normal or any(forbidden(letter) for letter in normal for forbidden in _PROHIBITED):
        return password
    if any(stringprep.in_table_d1(letter) for letter in normal):
        ends = stringprep.in_table_d1(normal[0]) and stringprep.in_table_d1(normal[-1])
        if not ends or any(stringprep.in_table_d2(letter) for letter in normal):
            return password
    return normal

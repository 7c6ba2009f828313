"""Hashes of the table ``password``: OMERO's own, which other programs write, and scrypt, which this server prefers.

OMERO stores base64 of MD5 over the user's id (8 bytes, big-endian) and the password; without salt, over the
password alone. An empty hash lets any password in where a password isn't required; no hash locks the user out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

_PREFIX = "$scrypt$"
_COST_EXPONENT = 15
_BLOCK_SIZE = 8
_PARALLELISM = 1
_SALT_BYTES = 16
_KEY_BYTES = 32
_LONGEST_COST = 20
_MEMORY_LIMIT = 256 * 1024 * 1024


def omero_hash(user_id: int, password: str) -> str:
    """OMERO's salted hash, which every OMERO server accepts.

    :param user_id: ``experimenter.id``, the salt
    """
    return _md5(user_id.to_bytes(8, "big", signed=True) + password.encode())


def unsalted_omero_hash(password: str) -> str:
    """OMERO's hash without salt, as ``--no-salt`` asks for it."""
    return _md5(password.encode())


def scrypt_hash(password: str) -> str:
    """A hash that is slow to guess; only this toolkit's reference server understands it."""
    salt = secrets.token_bytes(_SALT_BYTES)
    key = _scrypt(password, salt, _COST_EXPONENT, _BLOCK_SIZE, _PARALLELISM)
    parameters = f"ln={_COST_EXPONENT},r={_BLOCK_SIZE},p={_PARALLELISM}"
    return f"{_PREFIX}{parameters}${_encode(salt)}${_encode(key)}"


def verify(stored: str | None, user_id: int, password: str) -> bool:
    """Whether a password belongs to a stored hash; takes the time of one scrypt whatever is stored.

    An empty or missing hash never verifies here: whether it lets somebody in is a matter of policy.

    :param stored: column ``password.hash``
    :param user_id: ``experimenter.id``
    """
    if stored and stored.startswith(_PREFIX):
        return _verify_scrypt(stored, password)
    # The time must not tell which users exist or are still stored with MD5.
    _scrypt(password, b"\0" * _SALT_BYTES, _COST_EXPONENT, _BLOCK_SIZE, _PARALLELISM)
    if not stored:
        return False
    salted = hmac.compare_digest(stored.encode(), omero_hash(user_id, password).encode())
    unsalted = hmac.compare_digest(stored.encode(), unsalted_omero_hash(password).encode())
    return salted or unsalted


def needs_rehash(stored: str) -> bool:
    """Whether a hash that has just verified should be replaced by :func:`scrypt_hash`."""
    return not stored.startswith(f"{_PREFIX}ln={_COST_EXPONENT},r={_BLOCK_SIZE},p={_PARALLELISM}$")


def _verify_scrypt(stored: str, password: str) -> bool:
    try:
        parameters, salt, key = stored.removeprefix(_PREFIX).split("$")
        cost, block_size, parallelism = (int(part.partition("=")[2]) for part in parameters.split(","))
        wanted = base64.b64decode(key, validate=True)
        if not wanted or not 1 <= cost <= _LONGEST_COST:
            return False
        found = _scrypt(password, base64.b64decode(salt, validate=True), cost, block_size, parallelism, len(wanted))
    except (ValueError, binascii.Error, OverflowError):
        return False
    return hmac.compare_digest(found, wanted)


def _scrypt(
    password: str, salt: bytes, cost_exponent: int, block_size: int, parallelism: int, length: int = _KEY_BYTES
) -> bytes:
    return hashlib.scrypt(
        password.encode(),
        salt=salt,
        n=1 << cost_exponent,
        r=block_size,
        p=parallelism,
        maxmem=_MEMORY_LIMIT,
        dklen=length,
    )


def _md5(content: bytes) -> str:
    return _encode(hashlib.md5(content, usedforsecurity=False).digest())


def _encode(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")

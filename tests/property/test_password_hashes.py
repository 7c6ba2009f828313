"""Hashes of passwords: OMERO's, which must be byte for byte OMERO's, and our own."""

import base64
import hashlib

from hypothesis import example, given, settings
from hypothesis import strategies as st

from omeroadmin.database.passwords import needs_rehash, omero_hash, scrypt_hash, unsalted_omero_hash, verify

passwords = st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable())
user_ids = st.integers(min_value=0, max_value=2**63 - 1)
slow = settings(max_examples=12, deadline=None)


def test_known_hashes() -> None:
    # base64 of MD5("ome"), and of MD5 of eight zero bytes and "secret".
    assert unsalted_omero_hash("ome") == "vvFwuczAmpyoRC0Nsv8FCw=="
    assert (
        omero_hash(0, "secret")
        == base64.b64encode(hashlib.md5(bytes(8) + b"secret", usedforsecurity=False).digest()).decode()
    )


@given(user_ids, passwords)
def test_the_salt_is_the_users_id(user_id: int, password: str) -> None:
    salted = omero_hash(user_id, password)
    assert len(base64.b64decode(salted)) == 16
    assert salted != omero_hash(user_id ^ 1, password)
    assert salted != unsalted_omero_hash(password)


@slow
@given(user_ids, passwords, passwords)
@example(0, "secret", "Secret")
def test_every_form_verifies_its_password_only(user_id: int, password: str, other: str) -> None:
    stored = (omero_hash(user_id, password), unsalted_omero_hash(password), scrypt_hash(password))
    for form in stored:
        assert verify(form, user_id, password)
        assert verify(form, user_id, other) == (password == other)
    assert [needs_rehash(form) for form in stored] == [True, True, False]


def test_scrypt_takes_a_new_salt_each_time_and_fits_the_column() -> None:
    first, second = scrypt_hash("secret"), scrypt_hash("secret")
    assert first != second
    assert len(first) <= 255


def test_weaker_parameters_are_accepted_and_replaced() -> None:
    salt = b"0123456789abcdef"
    key = hashlib.scrypt(b"secret", salt=salt, n=1 << 10, r=8, p=1, dklen=32)
    stored = f"$scrypt$ln=10,r=8,p=1${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"
    assert verify(stored, 0, "secret")
    assert not verify(stored, 0, "Secret")
    assert needs_rehash(stored)


@slow
@given(st.none() | st.just("") | st.text(max_size=40) | st.text(max_size=30).map(lambda text: f"$scrypt${text}"))
@example("$scrypt$ln=40,r=8,p=1$AAAA$AAAA")
@example("$scrypt$ln=15,r=8,p=1$$")
@example("$scrypt$ln=0,r=0,p=0$AAAA$AAAA")
def test_what_is_no_hash_lets_nobody_in(stored: str | None) -> None:
    assert not verify(stored, 0, "secret")

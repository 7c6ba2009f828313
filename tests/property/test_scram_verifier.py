"""Verifiers of passwords: each is its own password's only."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.provisioning.agent.scram import make_verifier, verifies

PASSWORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)


@given(PASSWORDS, PASSWORDS, st.binary(min_size=1, max_size=20))
def test_a_verifier_knows_its_password(password: str, other: str, salt: bytes) -> None:
    verifier = make_verifier(password, salt, 2)
    assert verifies(password, verifier)
    assert verifies(other, verifier) == (make_verifier(other, salt, 2) == verifier)


@given(st.text())
def test_other_texts_are_no_verifiers(text: str) -> None:
    assert not verifies("secret", text)

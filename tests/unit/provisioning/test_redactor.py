"""Secrets are hidden wherever they are shown."""

from __future__ import annotations

import json
import shlex

import pytest

from omeroadmin.provisioning.secrets import Redactor, is_too_short

HIDDEN = "********"


@pytest.mark.parametrize("secret", ["swordfish", 'say "é"\\', "it's", "a.*b(", "pass word", "-----\tBEGIN"])
def test_as_it_is_in_json_and_in_a_shell(secret: str) -> None:
    redactor = Redactor([secret])
    assert redactor.hide(f"<{secret}>") == f"<{HIDDEN}>"
    for text in (json.dumps({"a": secret}), json.dumps({"a": secret}, ensure_ascii=False)):
        assert json.loads(redactor.hide(text)) == {"a": HIDDEN}
    assert redactor.hide(shlex.quote(secret)) in (HIDDEN, f"'{HIDDEN}'")


def test_the_longest_goes_first() -> None:
    assert Redactor(["word", "swordfish"]).hide("swordfish, words") == f"{HIDDEN}, {HIDDEN}s"


def test_each_line_of_several() -> None:
    redactor = Redactor(["-----BEGIN-----\n  line one\nxy\n-----END-----\n"])
    assert redactor.hide("+-----BEGIN-----\n+line one\n+xy") == f"+{HIDDEN}\n+{HIDDEN}\n+xy"


def test_what_is_too_short_would_be_everywhere() -> None:
    assert is_too_short("abc")
    assert not is_too_short("abcd")
    assert Redactor(["abc", "", " "]).hide("abc def") == "abc def"


def test_data() -> None:
    data = {"swordfish": ["a swordfish", {"b": ("swordfish", 1, None, True)}]}
    assert Redactor(["swordfish"]).hide_data(data) == {HIDDEN: [f"a {HIDDEN}", {"b": [HIDDEN, 1, None, True]}]}
    assert Redactor([]).hide_data(data) == {"swordfish": ["a swordfish", {"b": ["swordfish", 1, None, True]}]}

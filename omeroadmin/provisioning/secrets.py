"""Hides secrets in whatever is shown, by their values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from omeroadmin.schema.catalog import MASK

SHORTEST = 4
"""Characters of the shortest secret that is looked for; a shorter one would be found in every second word."""


class Redactor:
    """Puts ``********`` in the place of secrets.

    :param secrets: values; of one with several lines, each line is hidden wherever it stands
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = sorted({form for secret in secrets for form in _forms(secret)}, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, forms))) if forms else None

    def hide(self, text: str) -> str:
        """A text without the secrets. Texts that come in pieces are put together to lines before."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def hide_data(self, value: Any) -> Any:
        """Lists and dicts with all their texts, also the keys, without the secrets."""
        match value:
            case str():
                return self.hide(value)
            case dict():
                return {self.hide(name): self.hide_data(item) for name, item in value.items()}
            case list() | tuple():
                return [self.hide_data(item) for item in value]
        return value


def is_too_short(secret: str) -> bool:
    """Whether a secret can't be hidden where somebody else prints it."""
    return len(secret.strip()) < SHORTEST


def _forms(secret: str) -> Iterator[str]:
    """What a secret looks like in texts: as it is, inside JSON, and quoted for a shell."""
    for line in {secret, *secret.splitlines()}:
        if is_too_short(line):
            continue
        text = line.strip()
        yield text
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield text.replace("'", "'\"'\"'")

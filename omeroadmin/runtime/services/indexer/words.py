"""Cuts names and descriptions into the words that a search finds them by."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

_RUN = re.compile(r"[^\W_]+")
_LONGEST_WORD = 64
_MOST_WORDS = 20_000


def words_of(text: str) -> list[str]:
    """Words of a text to be indexed, in lower case: ``flower_gardenHD2.tif`` has flower, gardenhd2, garden, hd, 2, tif.

    Long words are cut, and very long texts end early, so that no description can fill the index.
    """
    return list(islice(all_words(text), _MOST_WORDS))


def all_words(text: str) -> Iterator[str]:
    """The same of a text of any length, one after the other."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    for run in _RUN.findall(text):
        lower = run.lower()
        yield lower[:_LONGEST_WORD]
        # Letters of one case, or digits alone, have no parts; that is most of them.
        if run.isdecimal() or (run.isalpha() and (run == lower or run.isupper())):
            continue
        parts = _parts(run)
        if len(parts) > 1:
            for part in parts:
                yield part.lower()[:_LONGEST_WORD]


def _parts(run: str) -> list[str]:
    """Pieces of a word between whose letters case or kind changes."""
    parts: list[str] = []
    start = 0
    for at in range(1, len(run)):
        before, here, after = run[at - 1], run[at], run[at + 1 : at + 2]
        rises = here.isupper() and (before.islower() or (before.isupper() and after.islower()))
        if rises or before.isalpha() != here.isalpha():
            parts.append(run[start:at])
            start = at
    return [*parts, run[start:]]


def query_words(text: str) -> list[str]:
    """Words that a query asks for; each must be found, if only as the beginning of a word."""
    runs = _RUN.findall(unicodedata.normalize("NFKC", text))
    return list(dict.fromkeys(run.lower()[:_LONGEST_WORD] for run in runs))[:16]

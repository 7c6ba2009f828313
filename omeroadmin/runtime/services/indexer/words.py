"""Cuts names and descriptions into the words that a search finds them by."""

from __future__ import annotations

import re
import unicodedata

_RUN = re.compile(r"[^\W_]+")
_LONGEST_WORD = 64
_MOST_WORDS = 20_000


def words_of(text: str) -> list[str]:
    """Words of a text to be indexed, in lower case: ``flower_gardenHD2.tif`` has flower, gardenhd2, garden, hd, 2, tif.

    Long words are cut, and very long texts end early, so that no file can fill the index.
    """
    result: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text)):
        parts = _parts(run)
        result += [run, *parts] if len(parts) > 1 else [run]
        if len(result) > _MOST_WORDS:
            break
    return [word.lower()[:_LONGEST_WORD] for word in result[:_MOST_WORDS]]


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

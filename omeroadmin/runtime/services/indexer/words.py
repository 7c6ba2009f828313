"""Cuts names and descriptions into the words that a search finds them by."""

from __future__ import annotations

import re
import unicodedata

_RUN = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\WA-Za-z\d_]+")
_LONGEST_WORD = 64
_MOST_WORDS = 20_000


def words_of(text: str) -> list[str]:
    """Words of a text to be indexed, in lower case: ``flower_gardenHD2.tif`` has flower, gardenhd2, garden, hd, 2, tif.

    Long words are cut, and very long texts end early, so that no file can fill the index.
    """
    result: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text)):
        parts = _CAMEL.findall(run)
        result += [run, *parts] if len(parts) > 1 else [run]
        if len(result) > _MOST_WORDS:
            break
    return [word.lower()[:_LONGEST_WORD] for word in result[:_MOST_WORDS]]


def query_words(text: str) -> list[str]:
    """Words that a query asks for; each must be found, if only as the beginning of a word."""
    runs = _RUN.findall(unicodedata.normalize("NFKC", text))
    return list(dict.fromkeys(run.lower()[:_LONGEST_WORD] for run in runs))[:16]

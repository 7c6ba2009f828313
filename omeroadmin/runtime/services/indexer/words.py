"""Cuts names and descriptions into the words that a search finds them by."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_RUN = re.compile(r"[^\W_]+")
_KINDS = re.compile(r"\d+|\D+")
# Where a run of ASCII has parts: a letter beside a digit, a capital after a small letter or before one.
_SEVERAL_KINDS = re.compile(r"[a-z][A-Z0-9]|[0-9][A-Za-z]|[A-Z](?:[0-9]|[A-Z][a-z])")
_PLAIN = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}
_LONGEST_WORD = 64
_MOST_WORDS = 20_000


def words_of(text: str) -> list[str]:
    """Words of a text to be indexed, in lower case: ``flower_gardenHD2.tif`` has flower, gardenhd2, garden, hd, 2, tif.

    Long words are cut, and very long texts end early, so that no description can fill the index.
    """
    words: list[str] = []
    for run in runs_of(text):
        if (run.isdecimal() or (run.islower() and run.isalpha())) and len(run) <= _LONGEST_WORD:
            words.append(run)
        else:
            words += words_of_run(run)
        if len(words) > _MOST_WORDS:
            return words[:_MOST_WORDS]
    return words


def indexed_text(text: str) -> str:
    """The same words with blanks between them; most texts are plain enough to be cut as a whole."""
    if text.isascii() and len(text) < _MOST_WORDS and _SEVERAL_KINDS.search(text) is None:
        plain = text.translate(_PLAIN)
        if len(plain) <= _LONGEST_WORD or max(map(len, plain.split()), default=0) <= _LONGEST_WORD:
            return plain.strip()
    return " ".join(words_of(text))


def runs_of(text: str) -> list[str]:
    """The runs of letters and digits of a text."""
    return _RUN.findall(text if text.isascii() else unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=65536)
def words_of_run(run: str) -> tuple[str, ...]:
    """The words of a run: itself and, where it has several, its parts. Most runs have occurred before."""
    lower = run.lower()[:_LONGEST_WORD]
    # Letters of one case, or digits alone, have no parts.
    if run.isdecimal() or (run.isalpha() and (run.islower() or run.isupper())):
        return (lower,)
    parts = _parts(run)
    return (lower, *(part.lower()[:_LONGEST_WORD] for part in parts)) if len(parts) > 1 else (lower,)


def _parts(run: str) -> list[str]:
    """Pieces of a word between whose letters case or kind changes."""
    parts: list[str] = []
    for piece in _KINDS.findall(run):
        if piece[1:].islower() or piece.isupper() or not piece.isalpha():
            parts.append(piece)
        else:
            parts += _cased(piece)
    return parts


def _cased(letters: str) -> list[str]:
    parts: list[str] = []
    start = 0
    for at in range(1, len(letters)):
        before, here, after = letters[at - 1], letters[at], letters[at + 1 : at + 2]
        if here.isupper() and (before.islower() or (before.isupper() and after.islower())):
            parts.append(letters[start:at])
            start = at
    return [*parts, letters[start:]]


def query_words(text: str) -> list[str]:
    """Words that a query asks for; each must be found, if only as the beginning of a word."""
    runs = _RUN.findall(unicodedata.normalize("NFKC", text))
    return list(dict.fromkeys(run.lower()[:_LONGEST_WORD] for run in runs))[:16]

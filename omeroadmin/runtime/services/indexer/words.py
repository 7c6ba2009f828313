"""Cuts names and descriptions into the words that a search finds them by."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_RUN = re.compile(r"[^\W_]+")
_KINDS = re.compile(r"\d+|\D+")
# ASCII by kind: small letter, capital, digit, and what lies between words. One byte each, so that whole texts
# are mapped and searched by the C library.
_SMALL, _CAPITAL, _DIGIT = b"a", b"A", b"0"
_KIND = bytes(
    ord(_SMALL if chr(code).islower() else _CAPITAL if chr(code).isupper() else _DIGIT if chr(code).isdigit() else b" ")
    for code in range(128)
).ljust(256)
_BLANKED = bytes(code if chr(code).isalnum() else ord(" ") for code in range(128)).ljust(256)
_PLAIN = _BLANKED.lower()
# Where a run of ASCII has parts: a letter beside a digit, a capital after a small letter or before one.
_SEVERAL_KINDS = (b"a0", b"0a", b"aA", b"A0", b"0A", b"AAa")
_LONGEST_WORD = 64
_LONG = tuple(kind * _LONGEST_WORD for kind in (_SMALL, _CAPITAL, _DIGIT))
"""One of these is in each run that is too long and of one kind, be it behind a capital."""
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
    if not text.isascii() or len(text) >= _MOST_WORDS:
        return " ".join(words_of(text))
    content = text.encode()
    kinds = content.translate(_KIND)
    for several in _SEVERAL_KINDS:
        if kinds.find(several) >= 0:
            break
    else:
        if len(kinds) <= _LONGEST_WORD or not any(long in kinds for long in _LONG):
            return content.translate(_PLAIN).decode().strip()
    return " ".join(map(_text_of_run, content.translate(_BLANKED).decode().split()))


def indexed_texts(texts: Sequence[str]) -> str:
    """The words of several texts, each of which has its own limit."""
    whole = texts[0] if len(texts) == 1 else " ".join(texts)
    return indexed_text(whole) if len(whole) < _MOST_WORDS else " ".join(map(indexed_text, texts)).strip()


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


@lru_cache(maxsize=65536)
def _text_of_run(run: str) -> str:
    return " ".join(words_of_run(run))


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

"""Reads the words of attached text files."""

from __future__ import annotations

import codecs
import os
import stat
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.repository.layout import original_file_path
from omeroadmin.runtime.services.indexer.words import runs_of, words_of_run
from omeroadmin.system import files

_CHUNK = 64 * 1024
_MOST_DIFFERENT = 200_000
_KEPT = 8
_TEXTS = frozenset({"application/json", "application/xml", "application/x-yaml", "application/javascript"})
"""Types besides ``text/…`` whose contents are text."""


@dataclass(frozen=True)
class Attachment:
    """A file that is attached to an object: columns of its row in originalfile.

    :param repository: uuid of the repository that it is in; ``None``: below ``Files``
    """

    id: int
    repository: str | None
    path: str
    name: str
    mimetype: str
    size: int


class Contents:
    """Words of attached files; the same file may hang on thousands of images.

    :param largest: bytes beyond which a file isn't read, ``omero.search.max_file_size``
    """

    def __init__(self, data_directory: Path, managed_repository: Path, *, largest: int) -> None:
        self._data_directory = data_directory
        self._managed_repository = managed_repository
        self._largest = largest
        self._known: OrderedDict[tuple[int, int], str] = OrderedDict()

    def forget(self) -> None:
        """Read files anew from now on: they may have changed."""
        self._known.clear()

    def words_of(self, attachment: Attachment) -> str:
        """The different words of a text, with blanks between them; none of what is too large, no text or not there."""
        mimetype = attachment.mimetype.partition(";")[0].strip().lower()
        if not (mimetype.startswith("text/") or mimetype in _TEXTS) or attachment.size > self._largest:
            return ""
        key = (attachment.id, attachment.size)
        if key not in self._known:
            try:
                self._known[key] = " ".join(_words_in(self._place_of(attachment), self._largest))
            except (OSError, AdminError):
                # fs check looks for files that are missing; a search does without.
                self._known[key] = ""
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]

    def _place_of(self, attachment: Attachment) -> Path:
        if attachment.repository is None:
            return original_file_path(self._data_directory, attachment.id)
        return files.inside(self._managed_repository, f"{attachment.path}/{attachment.name}".lstrip("/"))


def _words_in(path: Path, largest: int) -> dict[str, None]:
    """The different words of a file, in the order of their first occurrence.

    :raises OSError: where it can't be read; a symbolic link isn't followed
    """
    words: dict[str, None] = {}
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > largest:
            return words
        chunk = stream.read(_CHUNK)
        decoder = _decoder_for(chunk)
        if decoder is None:
            return words
        rest = ""
        while chunk:
            text = rest + decoder.decode(chunk)
            chunk = stream.read(_CHUNK)
            # The last word may go on in the next chunk.
            cut = len(text) if not chunk else max(text.rfind(" "), text.rfind("\n"), len(text) - _CHUNK, 0)
            for run in runs_of(text[:cut]):
                words.update(dict.fromkeys(words_of_run(run)))
            rest = text[cut:]
            if len(words) > _MOST_DIFFERENT:
                break
    return words


def _decoder_for(start: bytes) -> codecs.IncrementalDecoder | None:
    """What a file's beginning is written in; ``None`` where it is no text."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")("replace")
    if b"\0" in start:
        return None
    try:
        codecs.getincrementaldecoder("utf-8-sig")("strict").decode(start)
    except UnicodeDecodeError:
        return codecs.getincrementaldecoder("latin-1")("replace")
    return codecs.getincrementaldecoder("utf-8-sig")("replace")

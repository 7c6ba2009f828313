"""The full-text index on disk."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import tantivy

from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.runtime.services.indexer.documents import FIELDS, Document
from omeroadmin.runtime.services.indexer.words import indexed_texts, query_words
from omeroadmin.system import files

_SMALLEST_BUFFER = 15_000_000
_ANALYZER = "words"
_SHORTEST_MIDDLE = 3
_FIELD = {part: f"in_{part}" for part in FIELDS}

MEND = "omero admin reindex --wipe, then --finish or a start of the server: everything is indexed anew"
"""What to do about a damaged index."""


@dataclass(frozen=True)
class Hit:
    """An object that was found."""

    entity: str
    id: int
    name: str
    score: float


@dataclass(frozen=True)
class Reader:
    """Who searches: what they own and what belongs to their groups; ``None`` sees everything."""

    owner: int
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Wish:
    """What is searched for, besides words.

    :param limit: hits at most
    :param reader: who searches
    :param types: of objects; none: all
    :param owner: id of a user
    :param group: id of a group
    :param fields: parts of objects in which the words must be; none: all together
    :param since: milliseconds since 1970 UTC
    :param until: the same; it is not wanted itself
    :param date: which moment that is: ``created`` or ``acquired``
    """

    limit: int
    reader: Reader | None = None
    types: tuple[str, ...] = ()
    owner: int | None = None
    group: int | None = None
    fields: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None
    date: str = "created"


class FullTextIndex:
    """One writer, many searches.

    :param directory: ``FullText`` of the data directory
    :param buffer_bytes: memory for documents that are not on disk yet
    :raises AdminError: ``index-unreadable``
    """

    def __init__(self, directory: Path, *, buffer_bytes: int) -> None:
        files.make_directory(directory, mode=0o700)
        self.is_new = not (directory / "meta.json").exists()
        self._directory = directory
        self._lock = threading.Lock()
        try:
            self._index = self._opened(directory)
            register(self._index)
            self._writer = self._index.writer(heap_size=max(buffer_bytes, _SMALLEST_BUFFER), num_threads=1)
            self._index.reload()
        except (ValueError, OSError) as error:
            raise _unreadable(directory, error) from error

    def _opened(self, directory: Path) -> tantivy.Index:
        """The index; one of an earlier version of this software begins anew: everything in it is in the database."""
        try:
            return tantivy.Index(make_schema(), path=str(directory), reuse=True)
        except ValueError as error:
            if "schema does not match" not in str(error):
                raise
        for path in directory.iterdir():
            if path.is_file():
                path.unlink()
        self.is_new = True
        return tantivy.Index(make_schema(), path=str(directory), reuse=True)

    def replace(self, documents: Iterable[Document], *, is_first: bool = False) -> None:
        """Put documents in, each instead of its predecessor; seen after :meth:`commit`.

        :param is_first: whether it is certain that they have none
        """
        for document in documents:
            if not is_first:
                self.remove(document.key)
            entry = tantivy.Document()
            add_text = entry.add_text
            add_text("key", document.key)
            add_text("type", document.entity)
            add_text("name", document.name)
            everything = []
            for part, texts in document.texts.items():
                words = indexed_texts(texts)
                if words:
                    add_text(_FIELD[part], words)
                    everything.append(words)
            if document.contents:
                # Contents of files are words already.
                words = " ".join(document.contents)
                add_text(_FIELD["content"], words)
                everything.append(words)
            add_text("words", " ".join(everything))
            entry.add_unsigned("owner", document.owner)
            entry.add_unsigned("group", document.group)
            entry.add_integer("created", document.created)
            if document.acquired is not None:
                entry.add_integer("acquired", document.acquired)
            self._writer.add_document(entry)

    def remove(self, key: str) -> None:
        """Take a document out; seen after :meth:`commit`."""
        self._writer.delete_documents_by_term("key", key)

    def commit(self) -> None:
        """Make the changes durable and visible."""
        try:
            self._writer.commit()
            with self._lock:
                self._index.reload()
        except (ValueError, OSError) as error:
            raise _unreadable(self._directory, error) from error

    def size(self) -> int:
        """Number of documents."""
        return int(self._index.searcher().num_docs)

    def search(self, text: str, wish: Wish) -> list[Hit]:
        """Objects in whose texts all words of a query occur, best first.

        Whole words count more than beginnings, and those more than other parts of words.
        """
        words = query_words(text)
        if not words:
            return []
        parts = tuple(f"in_{part}" for part in wish.fields) or ("words",)
        queries = [self._word_query(word, parts) for word in words]
        # What only narrows down has no say in the order.
        queries += [tantivy.Query.boost_query(query, 0.0) for query in self._narrowing(wish)]
        with self._lock:
            searcher = self._index.searcher()
        query = tantivy.Query.boolean_query([(tantivy.Occur.Must, one) for one in queries])
        try:
            found = searcher.search(query, wish.limit).hits
            return [_hit(searcher.doc(address), float(score)) for score, address in found]
        except BaseException as error:
            # A damaged file makes the library panic, which is no Exception.
            if isinstance(error, (ValueError, OSError)) or type(error).__name__ == "PanicException":
                raise _unreadable(self._directory, error) from error
            raise

    def _word_query(self, word: str, parts: tuple[str, ...]) -> tantivy.Query:
        schema = self._index.schema
        literal = re.escape(word).replace(r"\-", "-")
        choices = []
        for part in parts:
            choices += [
                tantivy.Query.boost_query(tantivy.Query.term_query(schema, part, word), 3.0),
                tantivy.Query.boost_query(tantivy.Query.regex_query(schema, part, f"{literal}.*"), 2.0),
            ]
            if len(word) >= _SHORTEST_MIDDLE:
                choices.append(tantivy.Query.regex_query(schema, part, f".*{literal}.*"))
        return _any(choices)

    def _narrowing(self, wish: Wish) -> list[tantivy.Query]:
        queries = []
        if wish.reader is not None:
            choices = [self._is("owner", wish.reader.owner)]
            queries.append(_any(choices + [self._is("group", group) for group in wish.reader.groups]))
        if wish.types:
            queries.append(_any([self._is("type", name) for name in wish.types]))
        for name, value in (("owner", wish.owner), ("group", wish.group)):
            if value is not None:
                queries.append(self._is(name, value))
        if wish.since is not None or wish.until is not None:
            queries.append(
                tantivy.Query.range_query(
                    self._index.schema,
                    wish.date,
                    tantivy.FieldType.Integer,
                    wish.since,
                    wish.until,
                    include_upper=wish.until is None,
                )
            )
        return queries

    def _is(self, name: str, value: int | str) -> tantivy.Query:
        return tantivy.Query.term_query(self._index.schema, name, value)


def register(index: tantivy.Index) -> None:
    """Make known how texts are cut: the words come ready-made, with spaces between them."""
    index.register_tokenizer(_ANALYZER, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())


def _any(queries: list[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])


def _unreadable(directory: Path, error: BaseException) -> AdminError:
    """Only what another process holds, or the system refuses, may be otherwise at the next attempt."""
    words = (str(error).splitlines() or [type(error).__name__])[0]
    may_pass = isinstance(error, OSError) or "LockBusy" in words or "IoError" in words
    return (failed_error if may_pass else configuration_error)(
        "index-unreadable",
        f"the index in {directory} can't be opened: {words}",
        MEND,
    )


def make_schema() -> tantivy.Schema:
    """What the index keeps of a document."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("name", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("type", stored=False, tokenizer_name="raw", index_option="basic")
    for name in ("words", *(f"in_{part}" for part in FIELDS)):
        builder.add_text_field(name, stored=False, tokenizer_name=_ANALYZER, index_option="freq")
    builder.add_unsigned_field("owner", stored=False, indexed=True)
    builder.add_unsigned_field("group", stored=False, indexed=True)
    for name in ("created", "acquired"):
        builder.add_integer_field(name, stored=False, indexed=False, fast=True)
    return builder.build()


def _hit(document: tantivy.Document, score: float) -> Hit:
    entity, _, object_id = str(document.get_first("key")).partition(":")
    return Hit(entity, int(object_id), str(document.get_first("name")), round(score, 4))

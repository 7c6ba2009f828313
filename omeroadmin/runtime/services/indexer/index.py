"""The full-text index on disk."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import tantivy

from omeroadmin.errors import AdminError, configuration_error, failed_error
from omeroadmin.runtime.services.indexer.documents import Document
from omeroadmin.runtime.services.indexer.words import query_words, words_of
from omeroadmin.system import files

_SMALLEST_BUFFER = 15_000_000
_ANALYZER = "words"
_SHORTEST_MIDDLE = 3


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


class FullTextIndex:
    """One writer, many searches.

    :param directory: ``FullText`` of the data directory
    :param buffer_bytes: memory for documents that are not on disk yet
    :raises AdminError: ``index-unreadable``
    """

    def __init__(self, directory: Path, *, buffer_bytes: int) -> None:
        files.make_directory(directory, mode=0o700)
        self.is_new = not (directory / "meta.json").exists()
        self._lock = threading.Lock()
        try:
            self._index = tantivy.Index(_schema(), path=str(directory), reuse=True)
            self._register()
            self._writer = self._index.writer(heap_size=max(buffer_bytes, _SMALLEST_BUFFER), num_threads=1)
            self._index.reload()
        except (ValueError, OSError) as error:
            raise _unreadable(directory, error) from error

    def _register(self) -> None:
        # The words come ready-made, with spaces between them.
        self._index.register_tokenizer(_ANALYZER, tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())

    def replace(self, documents: Iterable[Document]) -> None:
        """Put documents in, each instead of its predecessor; seen after :meth:`commit`."""
        for document in documents:
            self.remove(document.key)
            entry = tantivy.Document()
            entry.add_text("key", document.key)
            entry.add_text("name", document.name)
            entry.add_text("words", " ".join(word for text in document.texts for word in words_of(text)))
            entry.add_unsigned("owner", document.owner)
            entry.add_unsigned("group", document.group)
            self._writer.add_document(entry)

    def remove(self, key: str) -> None:
        """Take a document out; seen after :meth:`commit`."""
        self._writer.delete_documents_by_term("key", key)

    def commit(self) -> None:
        """Make the changes durable and visible."""
        self._writer.commit()
        with self._lock:
            self._index.reload()

    def size(self) -> int:
        """Number of documents."""
        return int(self._index.searcher().num_docs)

    def search(self, text: str, limit: int, reader: Reader | None = None) -> list[Hit]:
        """Objects in whose texts all words of a query occur, best first.

        Whole words count more than beginnings, and those more than other parts of words.
        """
        words = query_words(text)
        if not words:
            return []
        must = [(tantivy.Occur.Must, self._word_query(word)) for word in words]
        if reader is not None:
            must.append((tantivy.Occur.Must, self._visible_to(reader)))
        with self._lock:
            searcher = self._index.searcher()
        found = searcher.search(tantivy.Query.boolean_query(must), limit).hits
        return [_hit(searcher.doc(address), float(score)) for score, address in found]

    def _word_query(self, word: str) -> tantivy.Query:
        schema = self._index.schema
        literal = re.escape(word).replace(r"\-", "-")
        choices = [
            tantivy.Query.boost_query(tantivy.Query.term_query(schema, "words", word), 3.0),
            tantivy.Query.boost_query(tantivy.Query.regex_query(schema, "words", f"{literal}.*"), 2.0),
        ]
        if len(word) >= _SHORTEST_MIDDLE:
            choices.append(tantivy.Query.regex_query(schema, "words", f".*{literal}.*"))
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, choice) for choice in choices])

    def _visible_to(self, reader: Reader) -> tantivy.Query:
        schema = self._index.schema
        choices = [tantivy.Query.term_query(schema, "owner", reader.owner)]
        choices += [tantivy.Query.term_query(schema, "group", group) for group in reader.groups]
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, choice) for choice in choices])
        return tantivy.Query.boost_query(query, 0.0)


def _unreadable(directory: Path, error: Exception) -> AdminError:
    """Only what another process holds, or the system refuses, may be otherwise at the next attempt."""
    words = str(error).splitlines()[0]
    may_pass = isinstance(error, OSError) or "LockBusy" in words or "IoError" in words
    return (failed_error if may_pass else configuration_error)(
        "index-unreadable",
        f"the index in {directory} can't be opened: {words}",
        f"move it away, and everything is indexed anew: mv {directory} {directory}.damaged",
    )


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("name", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("words", stored=False, tokenizer_name=_ANALYZER, index_option="freq")
    builder.add_unsigned_field("owner", stored=False, indexed=True)
    builder.add_unsigned_field("group", stored=False, indexed=True)
    return builder.build()


def _hit(document: tantivy.Document, score: float) -> Hit:
    entity, _, object_id = str(document.get_first("key")).partition(":")
    return Hit(entity, int(object_id), str(document.get_first("name")), round(score, 4))

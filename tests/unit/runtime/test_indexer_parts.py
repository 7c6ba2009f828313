from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tantivy
from hypothesis import example, given
from hypothesis import strategies as st

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.runtime.services.indexer.documents import Document, included
from omeroadmin.runtime.services.indexer.index import FullTextIndex, Reader, Wish
from omeroadmin.runtime.services.indexer.words import indexed_text, indexed_texts, query_words, words_of
from omeroadmin.workflows.causes import cause_in

BUFFER = 15_000_000


def document(number: int, *texts: str, owner: int = 2, group: int = 3, entity: str = "Image") -> Document:
    return Document(entity, number, texts[0], owner, group, {"name": list(texts)})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("flower_garden.tif", ["flower", "garden", "tif"]),
        ("flowerGarden", ["flowergarden", "flower", "garden"]),
        ("HDImage2", ["hdimage2", "hd", "image", "2"]),
        ("Zellkern-Übersicht", ["zellkern", "übersicht"]),
        ("  ", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@given(st.text(max_size=200))
def test_a_text_is_found_by_its_own_words(text: str) -> None:
    assert set(query_words(text)) <= set(words_of(text))


@given(st.text(max_size=200) | st.text(st.sampled_from("abcXYZ019_-. ,\t"), max_size=200))
@example("x" * 100)
@example("word " * 30_000)
def test_texts_are_cut_as_a_whole_into_the_same_words(text: str) -> None:
    assert indexed_text(text).split() == words_of(text)


@given(st.lists(st.text(max_size=100) | st.text(st.sampled_from("abcXYZ019_-. ,"), max_size=100), min_size=1))
@example(["x" * 70, "X" + "y" * 64, "7" * 65, "aB" * 40])
@example(["word " * 4_100, "other"])
def test_several_texts_are_cut_into_the_words_of_each(texts: list[str]) -> None:
    assert indexed_texts(texts).split() == [word for text in texts for word in words_of(text)]


def test_whole_words_come_first(tmp_path: Path) -> None:
    index = FullTextIndex(tmp_path, buffer_bytes=BUFFER)
    assert index.is_new
    index.replace([document(1, "sunflower.png"), document(2, "flower.png"), document(3, "flowers.png")])
    index.commit()
    assert [hit.id for hit in index.search("flower", Wish(10))] == [2, 3, 1]
    assert [hit.id for hit in index.search("flower", Wish(1))] == [2]
    assert index.search("flower nothing", Wish(10)) == []
    assert index.search('"*?:(+-', Wish(10)) == []
    assert index.search("flower.PNG", Wish(10))[0].name == "flower.png"


def test_documents_replace_their_predecessors(tmp_path: Path) -> None:
    index = FullTextIndex(tmp_path, buffer_bytes=BUFFER)
    index.replace([document(1, "before.png"), document(1, "dataset", entity="Dataset")])
    index.commit()
    index.replace([document(1, "after.png"), document(1, "after.png")])
    index.commit()
    assert index.size() == 2
    assert index.search("before", Wish(10)) == []
    assert [hit.entity for hit in index.search("after", Wish(10))] == ["Image"]
    index.remove("Image:1")
    index.commit()
    assert index.search("after", Wish(10)) == []


def test_readers_see_what_is_theirs(tmp_path: Path) -> None:
    index = FullTextIndex(tmp_path, buffer_bytes=BUFFER)
    index.replace([document(1, "a.png", owner=5, group=1), document(2, "a.png", owner=6, group=2)])
    index.commit()
    assert {hit.id for hit in index.search("a", Wish(10))} == {1, 2}
    assert {hit.id for hit in index.search("a", Wish(10, Reader(5, ())))} == {1}
    assert {hit.id for hit in index.search("a", Wish(10, Reader(7, (2,))))} == {2}
    assert index.search("a", Wish(10, Reader(7, ()))) == []
    assert index.search("a", Wish(10))[0].score == index.search("a", Wish(10, Reader(5, (2,))))[0].score


def test_a_search_is_narrowed_down(tmp_path: Path) -> None:
    index = FullTextIndex(tmp_path, buffer_bytes=BUFFER)
    tagged = Document("Image", 1, "a.png", 5, 1, {"name": ["a.png"], "annotation": ["mitosis"]}, 1000, 500)
    named = Document("Dataset", 1, "mitosis", 6, 2, {"name": ["mitosis"], "description": ["a"]}, 2000)
    index.replace([tagged, named])
    index.commit()

    def found(text: str, **narrow: Any) -> list[str]:
        return sorted(hit.entity for hit in index.search(text, Wish(10, **narrow)))

    assert found("mitosis") == found("mitosis", types=("Dataset", "Image")) == ["Dataset", "Image"]
    assert found("mitosis", types=("Image",)) == found("mitosis", owner=5) == found("mitosis", group=1) == ["Image"]
    assert found("mitosis", fields=("name",)) == ["Dataset"]
    assert found("mitosis", fields=("annotation", "file")) == ["Image"]
    assert found("mitosis a", fields=("annotation",)) == []
    assert found("mitosis", since=2000) == found("mitosis", since=1001, until=2001) == ["Dataset"]
    assert found("mitosis", until=2000) == ["Image"]
    assert found("mitosis", since=500, until=501, date="acquired") == ["Image"]
    assert found("mitosis", since=501, date="acquired") == []
    scores = [hit.score for hit in index.search("mitosis", Wish(10))]
    narrow = Wish(10, Reader(5, (2,)), ("Image", "Dataset"), since=0)
    assert [hit.score for hit in index.search("mitosis", narrow)] == scores


def test_an_index_of_an_earlier_version_begins_anew(tmp_path: Path) -> None:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True)
    old = tantivy.Index(builder.build(), path=str(tmp_path))
    writer = old.writer(heap_size=BUFFER, num_threads=1)
    writer.commit()
    del writer, old
    index = FullTextIndex(tmp_path, buffer_bytes=BUFFER)
    assert (index.is_new, index.size()) == (True, 0)
    index.replace([document(1, "new.png")])
    index.commit()
    assert index.search("new", Wish(1))[0].id == 1


def test_types_that_are_included() -> None:
    names = ["ome.model.core.Image", " ome.model.annotations.TagAnnotation", "ome.model.screen.Well", ""]
    assert included(names) == {"Image", "TagAnnotation"}


def test_a_damaged_index_is_named(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_text("{}")
    with pytest.raises(AdminError) as caught:
        FullTextIndex(tmp_path, buffer_bytes=BUFFER)
    assert (caught.value.code, caught.value.exit_status) == ("index-unreadable", ExitStatus.CONFIGURATION)
    found = cause_in(caught.value.message.encode())
    assert found is not None
    assert "omero admin reindex --wipe" in found.mend


def test_two_indexers_do_not_share_a_directory(tmp_path: Path) -> None:
    first = FullTextIndex(tmp_path, buffer_bytes=BUFFER)
    first.commit()
    with pytest.raises(AdminError) as caught:
        FullTextIndex(tmp_path, buffer_bytes=BUFFER)
    # The other one may be about to end.
    assert (caught.value.code, caught.value.exit_status) == ("index-unreadable", ExitStatus.FAILED)
    assert cause_in(caught.value.message.encode()) is None

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
import tantivy

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.repository.fulltext import META, index_files, inspect_index, wipe_index


def make_index(directory: Path, *, documents: int = 50, deleted: int = 0) -> None:
    """An index as the library writes it, closed again."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw")
    builder.add_text_field("words")
    index = tantivy.Index(builder.build(), path=str(directory))
    writer = index.writer(heap_size=15_000_000, num_threads=1)
    for number in range(documents):
        document = tantivy.Document()
        document.add_text("key", str(number))
        document.add_text("words", f"several words {number}")
        writer.add_document(document)
    writer.commit()
    for number in range(deleted):
        writer.delete_documents_by_term("key", str(number))
    writer.commit()
    writer.wait_merging_threads()


def test_a_good_index(tmp_path: Path) -> None:
    assert not inspect_index(tmp_path / "missing").exists
    assert not inspect_index(tmp_path).exists
    make_index(tmp_path, deleted=3)
    facts = inspect_index(tmp_path)
    assert (facts.exists, facts.documents, facts.problems, facts.is_read) == (True, 47, (), True)
    assert facts.size > 1000
    assert not inspect_index(tmp_path, most_bytes=10).is_read


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    make_index(tmp_path, deleted=1)
    files = sorted(path for path in tmp_path.iterdir() if path.suffix and path.suffix not in (".json", ".lock"))
    assert len(files) == 7
    chosen = random.Random(6)
    for path in files:
        content = path.read_bytes()
        for at in {0, len(content) - 1, len(content) - 10, *(chosen.randrange(len(content)) for _ in range(10))}:
            damaged = bytearray(content)
            damaged[at] ^= 1 << chosen.randrange(8)
            path.write_bytes(damaged)
            # What stands between checksum and end says which version wrote it; nothing depends on that.
            if json_text(damaged) != json_text(content):
                path.write_bytes(content)
                continue
            [problem] = inspect_index(tmp_path).problems
            assert problem.startswith(path.name)
        path.write_bytes(content)
    assert inspect_index(tmp_path).problems == ()


def json_text(content: bytes | bytearray) -> bytes:
    """The version in a file's footer."""
    return bytes(content[content.rfind(b'{"version"') : content.rfind(b'"crc"')])


def test_missing_and_short_files(tmp_path: Path) -> None:
    make_index(tmp_path)
    [store] = tmp_path.glob("*.store")
    os.truncate(store, 5)
    assert inspect_index(tmp_path).problems == (f"{store.name} is cut off",)
    store.unlink()
    assert inspect_index(tmp_path, most_bytes=0).problems == (f"{store.name} is missing",)
    (tmp_path / META).write_text("{")
    assert "can't be understood" in inspect_index(tmp_path).problems[0]


def test_a_wipe_waits_for_nobody_and_leaves_what_is_not_of_the_index(tmp_path: Path) -> None:
    make_index(tmp_path)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    index = tantivy.Index.open(str(tmp_path))
    writer = index.writer(heap_size=15_000_000, num_threads=1)
    with pytest.raises(AdminError) as caught:
        wipe_index(tmp_path)
    assert (caught.value.code, caught.value.exit_status) == ("index-in-use", ExitStatus.LOCKED)
    assert inspect_index(tmp_path).documents == 50
    del writer, index
    count, size = wipe_index(tmp_path)
    assert (count >= 8, size > 1000) == (True, True)
    assert wipe_index(tmp_path) == (0, 0)
    assert (tmp_path / "kept" / "file").exists()
    assert not inspect_index(tmp_path).exists
    assert wipe_index(tmp_path / "missing") == (0, 0)


def test_what_makes_it_an_index_goes_first(tmp_path: Path) -> None:
    make_index(tmp_path)
    order = [path.name for path in index_files(tmp_path)]
    assert (order[0], order[-1]) == (META, ".managed.json")
    assert json.loads((tmp_path / META).read_text())["segments"]

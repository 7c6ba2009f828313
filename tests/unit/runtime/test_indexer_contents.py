from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.repository.layout import original_file_path
from omeroadmin.runtime.services.indexer.contents import Attachment, Contents


def words(tmp_path: Path, content: bytes, *, mimetype: str = "text/plain", largest: int = 10_000_000) -> list[str]:
    path = original_file_path(tmp_path, 7)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    contents = Contents(tmp_path, tmp_path / "ManagedRepository", largest=largest)
    return contents.words_of(Attachment(7, None, "/", "notes", mimetype, len(content))).split()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"Mitosis mitosis in HeLa", ["mitosis", "in", "hela", "he", "la"]),
        ("Zellkern-Übersicht".encode(), ["zellkern", "übersicht"]),
        ("Übersicht".encode("latin-1"), ["übersicht"]),
        ("\ufeffword".encode(), ["word"]),
        ("Übersicht".encode("utf-16"), ["übersicht"]),
        (b"binary\0data", []),
        (b"", []),
    ],
)
def test_words_of_a_file(tmp_path: Path, content: bytes, expected: list[str]) -> None:
    assert words(tmp_path, content) == expected


def test_what_is_no_text_or_too_large_is_left_out(tmp_path: Path) -> None:
    assert words(tmp_path, b"word", mimetype="application/octet-stream") == []
    assert words(tmp_path, b"word", mimetype="text/csv; charset=utf-8") == ["word"]
    assert words(tmp_path, b"word", largest=4) == ["word"]
    assert words(tmp_path, b"words", largest=4) == []


def test_words_are_whole_where_the_file_is_read_in_parts(tmp_path: Path) -> None:
    content = " ".join(f"früher{number:06d}" for number in range(20_000))
    found = words(tmp_path, content.encode())
    assert {f"früher{number:06d}" for number in range(20_000)} <= set(found)
    assert not [word for word in found if word.startswith("früher") and len(word) not in (6, 12)]
    assert words(tmp_path, b"x" * 1_000_000) == ["x" * 64]


def test_links_and_paths_that_leave_the_repository_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "Files").mkdir()
    original_file_path(tmp_path, 7).symlink_to(secret)
    contents = Contents(tmp_path, tmp_path / "ManagedRepository", largest=100)
    assert contents.words_of(Attachment(7, None, "/", "notes", "text/plain", 6)) == ""
    assert contents.words_of(Attachment(8, "uuid", "../", "secret", "text/plain", 6)) == ""

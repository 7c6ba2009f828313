"""Packages' own files are empty: import-linter does not see into them, and importing a part must not load a whole."""

from __future__ import annotations

from tests.support.checkout import PACKAGE, ROOT, modules


def test_init_files_are_empty() -> None:
    found = [path for path in modules() if path.name == "__init__.py"]
    assert len(found) > 10
    assert [str(path.relative_to(ROOT)) for path in found if path.read_bytes()] == []


def test_every_directory_with_modules_is_a_package() -> None:
    directories = {path.parent for path in modules()}
    assert PACKAGE in directories
    assert [str(path.relative_to(ROOT)) for path in directories if not (path / "__init__.py").exists()] == []

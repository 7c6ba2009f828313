"""Files and functions stay small enough to be read at once."""

from __future__ import annotations

import ast

from tests.support.checkout import ROOT, functions, modules, own_lines

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
LONGEST_COMMAND_FILE = 80


def test_files() -> None:
    sizes = {path.relative_to(ROOT): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert len(sizes) > 50
    assert {str(path): size for path, size in sizes.items() if size > LONGEST_FILE} == {}


def test_command_files() -> None:
    commands = [path for path in modules() if path.parent.parent.name == "commands"]
    sizes = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in commands}
    assert {path: size for path, size in sizes.items() if size > LONGEST_COMMAND_FILE} == {}


def test_functions() -> None:
    sizes = {name: own_lines(function) for path in modules() for name, function in functions(path)}
    assert len(sizes) > 100
    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}


def test_a_docstring_is_not_counted() -> None:
    function = ast.parse('def f():\n    """One.\n\n    Two.\n    """\n    return 1\n').body[0]
    assert isinstance(function, ast.FunctionDef)
    assert own_lines(function) == 2


def test_names_of_test_files_are_unique() -> None:
    """Pytest imports two of one name as one."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []

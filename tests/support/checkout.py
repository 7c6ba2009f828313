"""The checkout as the contract tests see it."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "omeroadmin"
_NEVER_TRACKED = {".git", ".venv", ".venv-test", "demo", "dist", "build", "__pycache__"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files() -> list[Path]:
    """All files that git knows, or, where the checkout is a copy without git, all that belong to it."""
    # Another account may own the checkout, which git needs to be told of.
    done = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode == 0 and done.stdout:
        return [path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file()]
    return [path for path in sorted(ROOT.rglob("*")) if path.is_file() and not _is_passing(path.relative_to(ROOT))]


def _is_passing(relative: Path) -> bool:
    return any(part in _NEVER_TRACKED or part.endswith("_cache") for part in relative.parts)


def modules() -> list[Path]:
    """The package's Python files."""
    return [path for path in files() if path.suffix == ".py" and path.is_relative_to(PACKAGE)]


def functions(path: Path) -> Iterator[tuple[str, Function]]:
    """All functions and methods of a file, with the name to show."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Function):
            yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def own_lines(function: Function) -> int:
    """Lines of a function without its docstring."""
    first = function.body[0]
    is_docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if is_docstring else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - docstring

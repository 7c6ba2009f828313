"""Regular expressions, Python's or Java's."""

from __future__ import annotations

import re

_JAVA_ONLY = (
    (r"\\Q.*?(?:\\E|$)", "a"),
    (r"\\[pP](?:\{[^}]*\}|[A-Za-z])", "a"),
    (r"\\x\{[0-9A-Fa-f]+\}|\\k<[A-Za-z][A-Za-z0-9]*>|\\N\{[^}]*\}|\\c.|\\0[0-7]{1,3}", "a"),
    (r"\\[hHRXGzev]", "a"),
    (r"\(\?<[A-Za-z][A-Za-z0-9]*>", "("),
    (r"\(\?<[=!]", "(?:"),
    (r"\(\?[idmsuxU]*(?:-[idmsuxU]+)?\)", ""),
    (r"\(\?[idmsuxU]*(?:-[idmsuxU]+)?:", "(?:"),
)
"""What Java has and Python hasn't, or has otherwise, and a thing that stands in the same place."""
_SWAP = re.compile("|".join(f"({pattern})" for pattern, _ in _JAVA_ONLY) + r"|\\.", re.DOTALL)


def regex_problem(text: str) -> str | None:
    """What is wrong with a regular expression; what either language takes is fine."""
    first = _python_problem(text)
    if first is None:
        return None
    return first if _python_problem(_SWAP.sub(_neutral, text)) else None


def _neutral(found: re.Match[str]) -> str:
    return _JAVA_ONLY[found.lastindex - 1][1] if found.lastindex else found.group()


def _python_problem(text: str) -> str | None:
    import warnings

    try:
        with warnings.catch_warnings():
            # Java's [a-z&&[^b]] is a set with odd characters to Python.
            warnings.simplefilter("ignore")
            re.compile(text)
    except re.error as error:
        where = "" if error.pos is None else f" at character {error.pos + 1}"
        return f"{error.msg}{where}"
    except (OverflowError, RecursionError):
        return "this is too large"
    return None

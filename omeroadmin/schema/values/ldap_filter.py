"""LDAP filters as RFC 4515 writes them.

The libraries that read filters come with a whole LDAP client; the grammar is a page.
"""

from __future__ import annotations

import re

_ATTRIBUTE = r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)(?:;[A-Za-z0-9-]+)*"
_VALUE = r"(?:[^()*\\\x00]|\\[0-9A-Fa-f]{2})*"
_SHOWN = 40
"""Characters of a wrong part that a message repeats."""
_ITEM = (
    rf"{_ATTRIBUTE}\s*(?:=|~=|>=|<=){_VALUE}"
    rf"|{_ATTRIBUTE}\s*=(?:{_VALUE}\*)+{_VALUE}"
    rf"|(?:{_ATTRIBUTE}(?::dn)?(?::[A-Za-z0-9.-]+)?|(?::dn)?:[A-Za-z0-9.-]+):={_VALUE}"
)
_TOKEN = re.compile(rf"\s*(?:\(\s*(?:(?P<operator>[&|!])|(?P<item>{_ITEM})(?=\)|\Z))|(?P<end>\)))")


def ldap_filter_problem(text: str) -> str | None:
    """What is wrong with a filter."""
    filters = text.strip()
    if not filters.startswith("("):
        return "this isn't in parentheses"
    position = 0
    counts: list[tuple[str, int]] = []
    while position == 0 or counts:
        found = _TOKEN.match(filters, position)
        if found is None:
            rest = filters[position:].strip()
            return f"{rest[:_SHOWN]!r} is no filter such as (cn=value)" if rest else "a parenthesis is not closed"
        position = found.end()
        if not found["end"]:
            if counts:
                counts[-1] = (counts[-1][0], counts[-1][1] + 1)
            counts.append((found["operator"] or "=", 0))
            continue
        operator, count = counts.pop()
        if operator == "!" and count != 1:
            return f"a ! takes one filter, not {count}"
    rest = filters[position:].strip()
    return f"there is {rest[:_SHOWN]!r} after its end" if rest else None

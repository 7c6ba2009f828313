"""Ids as text in ranges, the way OMERO's command line writes and reads them: ``51,53-56``."""

from __future__ import annotations

from collections.abc import Iterable

from omeroadmin.runtime.services.blitz.services.problems import invalid


def ranges_text(ids: Iterable[int]) -> str:
    """Ids in order, three and more in a row as a range."""
    pieces: list[str] = []
    first = last = None
    for one in [*sorted(ids), None]:
        if last is not None and one == last + 1:
            last = one
            continue
        if first is not None and last is not None:
            pieces.append(_piece(first, last))
        first = last = one
    return ",".join(pieces)


def _piece(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first},{last}" if last == first + 1 else f"{first}-{last}"


def parse_ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Ranges with their ends.

    :raises AdminError: ``request-invalid``
    """
    ranges = []
    for piece in text.split(","):
        first, dash, last = piece.partition("-")
        try:
            low, high = int(first), int(last if dash else first)
        except ValueError:
            raise invalid(f"{piece[:40]!r} is neither an id nor a range of ids such as 53-56") from None
        if not 0 <= low <= high < 2**63:
            raise invalid(f"the range {piece[:40]} has no ids")
        ranges.append((low, high))
    return tuple(ranges)

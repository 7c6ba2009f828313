"""A share of all, as it is typed."""

from __future__ import annotations

from omeroadmin.errors import usage_error


def part_of_all(text: str) -> float:
    """``5%`` or ``5`` as 0.05.

    :raises AdminError: ``sample-invalid``
    """
    try:
        percent = float(text.removesuffix("%"))
    except ValueError:
        percent = 0.0
    if not 0 < percent <= 100:
        raise usage_error(
            "sample-invalid", f"--sample {text!r} is no percentage above 0 and up to 100", "such as --sample 5%"
        )
    return percent / 100

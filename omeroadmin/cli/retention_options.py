"""Options that say which snapshots are kept."""

from __future__ import annotations

from typing import Annotated

import typer


def _count(name: str, what: str) -> typer.models.OptionInfo:
    return typer.Option(f"--keep-{name}", metavar="N", min=0, help=what)  # type: ignore[no-any-return]


KeepLast = Annotated[int, _count("last", "Keep the newest N.")]
KeepHourly = Annotated[int, _count("hourly", "Keep the newest of each of the last N hours that have one.")]
KeepDaily = Annotated[int, _count("daily", "The same for days.")]
KeepWeekly = Annotated[int, _count("weekly", "The same for weeks.")]
KeepMonthly = Annotated[int, _count("monthly", "The same for months.")]
KeepYearly = Annotated[int, _count("yearly", "The same for years.")]
KeepTag = Annotated[list[str] | None, typer.Option("--keep-tag", metavar="TAG", help="Keep all with this tag.")]

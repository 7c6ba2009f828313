"""What snapshots are kept, what is in them, and what differs between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from omeroadmin.cli.output import Style, cell, print_json, print_lines, say
from omeroadmin.cli.views.backups import size_text, snapshot_data
from omeroadmin.cli.views.rows import Column, print_rows
from omeroadmin.system.clock import utc_stamp

if TYPE_CHECKING:
    from omeroadmin.backups.engines.engine import Removed
    from omeroadmin.backups.manifest import Entry
    from omeroadmin.backups.retention import Decision
    from omeroadmin.workflows.backup_show import Compared, Shown
    from omeroadmin.workflows.prune import PrunePlan

_SIGNS = {"added": "+", "removed": "-", "changed": "M"}


def prune_lines(plan: PrunePlan) -> list[str]:
    """What becomes of each snapshot, for the question and for ``--dry-run``."""
    in_use = {item.id: item.by for item in plan.preview.in_use}
    lines = [_decision_line(decision, in_use.get(decision.candidate.id, "")) for decision in plan.decisions]
    return [f"Plan: prune {plan.target}", *lines, _freed(plan.preview, "would free")]


def show_prune(plan: PrunePlan, removed: Removed | None, *, as_json: bool) -> None:
    """The plan, or what it came to.

    :param removed: ``None`` for a plan
    """
    if as_json:
        document = {
            "target": plan.target,
            "done": removed is not None,
            "snapshots": [_decision_data(decision) for decision in plan.decisions],
            "removed": _removed_data(removed or plan.preview),
        }
        print_json("backup/prune", document)
    elif removed is None:
        print_lines(*prune_lines(plan))
    else:
        print_lines(f"{len(removed.snapshots)} snapshots removed; {_freed(removed, 'freed')}")


def say_kept(removed: Removed) -> None:
    """Why something stays that should have gone."""
    for item in removed.in_use:
        say(f"omero: snapshot {item.id} stays: {item.by} is reading it; a later prune removes it")
    if removed.kept_because:
        say(f"omero: no content is removed: {removed.kept_because}")


def show_nothing_pruned(plan: PrunePlan, *, as_json: bool, quiet: bool) -> None:
    """All stay."""
    if as_json:
        show_prune(plan, plan.preview, as_json=True)
    elif not quiet:
        print_lines(f"All {len(plan.decisions)} snapshots are kept.")


def _decision_line(decision: Decision, in_use: str) -> str:
    candidate = decision.candidate
    word = "keep  " if decision.keep or in_use else "remove"
    tag = f" [{cell(candidate.tag)}]" if candidate.tag else ""
    reasons = ", ".join(decision.reasons) + (f", but {in_use} is reading it" if in_use else "")
    return f"  {word} {candidate.id} {candidate.moment:%a %Y-%m-%d %H:%M}{tag}: {reasons}"


def _decision_data(decision: Decision) -> dict[str, Any]:
    candidate = decision.candidate
    return {"id": candidate.id, "tag": candidate.tag, "keep": decision.keep, "reasons": list(decision.reasons)}


def _removed_data(removed: Removed) -> dict[str, Any]:
    return {**asdict(removed), "in_use": [item._asdict() for item in removed.in_use]}


def _freed(removed: Removed, word: str) -> str:
    if removed.kept_because:
        return "no content is removed, because a manifest can't be read"
    return f"{word} {size_text(removed.size)} in {removed.contents} contents"


def show_snapshot(shown: Shown, *, as_json: bool) -> None:
    """All that is known of a snapshot, faults on stderr."""
    snapshot, verified = shown.snapshot, shown.verified
    if as_json:
        more = {
            "place": shown.place,
            "omerodir": snapshot.omerodir,
            "roots": dict(snapshot.roots),
            "sealed_to": list(snapshot.sealed_to),
            "parts": {path: part.size for path, part in snapshot.parts.items()},
            "verified": None if verified is None else _stamp(verified.finished),
        }
        print_json("backup/show", {**snapshot_data(snapshot), **more})
        return
    dump = sum(part.size for path, part in snapshot.parts.items() if path.startswith("database/"))
    rows = {
        "Snapshot": snapshot.id + (f" [{cell(snapshot.tag)}]" if snapshot.tag else ""),
        "Taken": f"{_stamp(snapshot.started)}, in {snapshot.seconds:.1f} s",
        "State": "consistent" if snapshot.consistent else f"INCONSISTENT, {snapshot.fault_count} faults",
        "Verified": "never" if verified is None else f"{_stamp(verified.finished)}, in {verified.seconds:.1f} s",
        "Instance": snapshot.omerodir,
        **{f"Root {name}": place for name, place in snapshot.roots.items()},
        "Files": f"{snapshot.files}, {size_text(snapshot.size)}",
        "New": f"{snapshot.copied_files}, {size_text(snapshot.copied_bytes)}",
        "Database": f"{snapshot.database.get('name', '')}, {snapshot.rows} rows reconciled, dump {size_text(dump)}",
        "Versions": ", ".join(f"{name} {version}" for name, version in snapshot.versions.items()),
        "Sealed to": ", ".join(snapshot.sealed_to) or "nobody: dump and configuration are in the clear",
        "Physical": snapshot.physical.get("label", "none"),
        "Place": shown.place,
    }
    width = max(map(len, rows))
    print_lines(*(f"{name:<{width}}  {cell(value)}" for name, value in rows.items()))
    for fault in (*snapshot.faults, *snapshot.warnings):
        say(f"omero: {fault}")


def show_files(entries: Iterable[Entry], *, as_json: bool) -> None:
    """Paths, sizes and times, while they are read."""
    columns = (
        Column("size", lambda item: item["size"], right=True),
        Column("modified", lambda item: item["modified"]),
        Column("path", lambda item: item["path"]),
    )
    items = (
        {"path": entry.path, "size": entry.size, "modified": _stamp(entry.mtime_ns / 1e9), "mode": f"{entry.mode:04o}"}
        for entry in entries
    )
    print_rows("backup/files", columns, items, Style.JSON if as_json else Style.SQL, numbered=False)


def show_difference(compared: Compared, *, summary: bool, as_json: bool) -> None:
    """A line for each file, and sums."""
    if as_json:
        items = (dict(change._asdict()) for change in compared.changes)
        print_rows("backup/changes", (), items, Style.JSON)
        return
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for change in compared.changes:
        counts[change.change] += 1
        sizes[change.change] += change.after or change.before or 0
        if not summary:
            print_lines(f"{_SIGNS[change.change]} {cell(change.path)}")
    if compared.older.sealed_to or compared.newer.sealed_to:
        say("The configuration is sealed and was not compared.")
    words = [f"{counts[name]} {name} ({size_text(sizes[name])})" for name in _SIGNS]
    print_lines(
        f"{compared.older.id} to {compared.newer.id}: {', '.join(words)}; rows reconciled"
        f" {compared.older.rows} and {compared.newer.rows}"
    )


def _stamp(seconds: float) -> str:
    return utc_stamp(datetime.fromtimestamp(seconds, UTC))

"""Snapshots, verifications and restores for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from omeroadmin.cli.output import Style, print_json, print_lines, print_table, say
from omeroadmin.system.clock import utc_stamp

if TYPE_CHECKING:
    from omeroadmin.backups.faults import Fault
    from omeroadmin.backups.snapshot import Snapshot
    from omeroadmin.backups.store import Listed
    from omeroadmin.workflows.backup_verify import Verified
    from omeroadmin.workflows.restore import RestorePlan
    from omeroadmin.workflows.restore_steps import RestoreReport

_COLUMNS = ("id", "tag", "when", "files", "bytes", "state", "verified", "drilled")


def show_created(snapshot: Snapshot, *, as_json: bool, quiet: bool) -> None:
    """A snapshot that was just taken: faults on stderr, a summary on stdout."""
    say_faults(snapshot.faults, snapshot.fault_count)
    if not quiet:
        say_faults(snapshot.warnings, len(snapshot.warnings))
    if as_json:
        print_json("backup/create", snapshot_data(snapshot))
        return
    if not quiet:
        state = "consistent" if snapshot.consistent else f"INCONSISTENT, {snapshot.fault_count} faults"
        print_lines(
            f"{snapshot.id}: {snapshot.files} files, {size_text(snapshot.size)}; {snapshot.copied_files} new,"
            f" {size_text(snapshot.copied_bytes)}; {snapshot.rows} rows reconciled; {state}; {snapshot.seconds:.1f} s"
            + (f"; physical backup {snapshot.physical['label']}" if snapshot.physical else "")
        )


def snapshot_data(snapshot: Snapshot) -> dict[str, object]:
    """A snapshot as the JSON documents have it."""
    return {
        "id": snapshot.id,
        "tag": snapshot.tag,
        "started": _stamp(snapshot.started),
        "finished": _stamp(snapshot.finished),
        "seconds": round(snapshot.seconds, 3),
        "files": snapshot.files,
        "bytes": snapshot.size,
        "copied_files": snapshot.copied_files,
        "copied_bytes": snapshot.copied_bytes,
        "read_files": snapshot.read_files,
        "rows": snapshot.rows,
        "consistent": snapshot.consistent,
        "fault_count": snapshot.fault_count,
        "faults": snapshot.faults,
        "warnings": snapshot.warnings,
        "sealed_to": snapshot.sealed_to,
        "versions": dict(snapshot.versions),
        "database": dict(snapshot.database),
        "physical": dict(snapshot.physical),
    }


def show_list(listed: Sequence[Listed], style: Style) -> None:
    """The snapshots of a target; what is wrong with a damaged one on stderr."""
    for item in listed:
        if item.damage:
            say(f"omero: {item.damage}")
    print_table("backup/snapshots", _COLUMNS, [_row(item) for item in listed], style)


def _row(item: Listed) -> tuple[object, ...]:
    verified = None if item.verified is None else _stamp(item.verified.finished)
    drilled = None if item.drill is None else _stamp(item.drill.finished)
    if item.snapshot is None:
        return (item.id, "", None, None, None, "damaged", verified, drilled)
    snapshot = item.snapshot
    when = _stamp(snapshot.finished)
    state = "consistent" if snapshot.consistent else "inconsistent"
    return (item.id, snapshot.tag, when, snapshot.files, snapshot.size, state, verified, drilled)


def show_verified(verified: Verified, *, as_json: bool, quiet: bool) -> None:
    """The outcome of a verification: faults on stderr, a summary on stdout."""
    say_faults(verified.faults, verified.fault_count)
    record = verified.record
    if as_json:
        document: dict[str, object] = {
            "id": verified.snapshot.id,
            "succeeded": verified.succeeded,
            "finished": _stamp(record.finished),
            "seconds": round(record.seconds, 3),
            "files": record.files,
            "bytes": record.size,
            "rows": record.rows,
            "deep": record.deep,
            "sample": record.sample,
            "fault_count": verified.fault_count,
            "faults": verified.faults,
        }
        print_json("backup/verify", document)
    elif not quiet:
        outcome = "verified" if verified.succeeded else f"DAMAGED, {verified.fault_count} faults"
        if not verified.snapshot.consistent:
            outcome += ", but INCONSISTENT since it was taken (omero backup show)"
        part = "" if record.sample >= 1.0 else f" (a sample of {100 * record.sample:g} %)"
        deep = f" dump restored, {record.rows} rows reconciled;" if record.deep else ""
        print_lines(
            f"{verified.snapshot.id}: {record.files} files read{part}, {size_text(record.size)};{deep} {outcome};"
            f" {record.seconds:.1f} s"
        )


def show_restored(restore: RestorePlan, report: RestoreReport) -> None:
    """The outcome of a restore: faults on stderr, a summary on stdout."""
    say_faults(report.faults.kept, report.faults.count)
    outcome = "all as it was saved" if not report.faults.count else f"{report.faults.count} FAULTS"
    omerodir = restore.instance.omerodir
    rows = f" {report.rows} rows reconciled;" if restore.makes_instance else ""
    print_lines(
        f"{restore.source}: {report.files} files restored, {size_text(report.size)}, {report.present} were there;"
        f"{rows} {outcome}"
    )
    if restore.makes_instance:
        print_lines(f"Start it: omero --omerodir {omerodir} admin start")


def say_faults(faults: Sequence[Fault], count: int) -> None:
    """Faults as lines on stderr; those that weren't kept as a number."""
    for fault in faults:
        say(f"omero: {fault}")
    if count > len(faults):
        say(f"omero: and {count - len(faults)} more")


def _stamp(seconds: float) -> str:
    return utc_stamp(datetime.fromtimestamp(seconds, UTC))


def size_text(count: int) -> str:
    """Bytes for people."""
    size = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"

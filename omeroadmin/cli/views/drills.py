"""Drills for people and programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from omeroadmin.cli.output import print_json, print_lines
from omeroadmin.cli.views.backups import say_faults, size_text
from omeroadmin.system.clock import utc_stamp

if TYPE_CHECKING:
    from omeroadmin.backups.drills import Drill
    from omeroadmin.workflows.drill import Drilled


def show_drilled(drilled: Drilled, *, as_json: bool, quiet: bool) -> None:
    """The outcome of a drill: faults on stderr, one line on stdout."""
    say_faults(drilled.faults, drilled.fault_count)
    record = drilled.record
    if as_json:
        document = {
            "id": drilled.snapshot.id,
            "succeeded": drilled.succeeded,
            **drill_data(record),
            "fault_count": drilled.fault_count,
            "faults": drilled.faults,
        }
        print_json("backup/drill", document)
    elif not quiet:
        outcome = "drill passed" if drilled.succeeded else f"DRILL FAILED, {drilled.fault_count} faults"
        formats = f"an image of each format read ({', '.join(record.formats)})" if record.formats else "no images"
        print_lines(
            f"{drilled.snapshot.id}: {record.files} files, {size_text(record.size)}, restored in"
            f" {record.restore_seconds:.1f} s; started in {record.start_seconds:.1f} s; root logged in; {formats};"
            f" {record.images} images, {record.filesets} filesets; {outcome}; {record.seconds:.1f} s"
        )


def drill_data(record: Drill) -> dict[str, object]:
    """The record of a drill as the JSON documents have it."""
    return {
        "finished": utc_stamp(datetime.fromtimestamp(record.finished, UTC)),
        "seconds": round(record.seconds, 3),
        "restore_seconds": round(record.restore_seconds, 3),
        "start_seconds": round(record.start_seconds, 3),
        "files": record.files,
        "bytes": record.size,
        "rows": record.rows,
        "formats": list(record.formats),
        "images": record.images,
        "filesets": record.filesets,
    }

"""What a check of all files found, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omeroadmin.cli.output import print_json_stream, print_lines
from omeroadmin.errors import printable

if TYPE_CHECKING:
    from omeroadmin.workflows.file_check import FaultyFile, FileCheck


def show_check(check: FileCheck, *, as_json: bool, quiet: bool) -> None:
    """Faulty files and a summary; however many there are, they take no memory."""
    progress = check.progress
    if as_json:
        _print_document(check)
        return
    for fault in check.faults():
        print_lines(_line(fault))
    if quiet:
        return
    outcome = f"{progress.faulty} FAULTY" if progress.faulty else "all as recorded"
    read = f", {progress.hashed} read ({progress.read / 1e9:.1f} GB)" if progress.options["checksums"] else ""
    changed = f", {progress.changed} changed meanwhile" if progress.changed else ""
    print_lines(f"{progress.files} files looked at{read}{changed}; {outcome}; {check.seconds:.1f} s")


def _line(fault: FaultyFile) -> str:
    images = ", ".join(f"Image:{number}" for number in fault.images[:3])
    more = f" and {len(fault.images) - 3} more" if len(fault.images) > 3 else ""
    whose = f"{fault.user}, {fault.group}"
    what = f"OriginalFile:{fault.file_id}" + (f" of {images}{more}" if images else "")
    return f"{fault.kind}: {printable(fault.path)} ({what}; {printable(whose)}): {printable(fault.problem)}"


def _print_document(check: FileCheck) -> None:
    progress = check.progress
    head = {
        "checksums": progress.options["checksums"],
        "sample": progress.options["sample"],
        "continued": check.continued,
        "seconds": round(check.seconds, 3),
        "files": progress.files,
        "read_files": progress.hashed,
        "read_bytes": progress.read,
        "changed": progress.changed,
        "fault_count": progress.faulty,
    }
    # One by one, because there may be as many as files.
    print_json_stream("fs/check", head, "faults", check.faults())

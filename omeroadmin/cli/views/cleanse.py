"""What a cleanse found and did, for people and programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from omeroadmin.cli.output import print_json, print_json_stream, print_lines, say
from omeroadmin.errors import printable

if TYPE_CHECKING:
    from omeroadmin.repository.orphans.findings import Kind
    from omeroadmin.workflows.cleanse import Outcome
    from omeroadmin.workflows.cleanse_find import Findings, Problems, Sum

_WORDS = {
    "file": "files of no originalfile, below Files",
    "pixels": "files of no pixels, below Pixels",
    "pyramid": "pyramids of no pixels",
    "thumbnail": "files of no thumbnail",
    "files-directory": "directories of no originalfile, below Files",
    "lock": "stale locks",
    "temporary": "stale temporary files",
    "leftover": "files in ManagedRepository that no row names",
    "empty-directory": "empty directories in ManagedRepository",
}


def found_lines(findings: Findings, *, verbose: bool) -> list[str]:
    """What was found: by kind, and with all paths if wished."""
    lines = []
    if verbose:
        lines += [f"{one.kind}\t{one.size}\t{printable(one.path)}" for one in findings.spool]
        lines += [f"fileset\t{one.size}\tFileset:{one.id} {printable(one.prefix)}" for one in findings.filesets]
    lines += _sum_lines(findings.sums)
    if findings.filesets:
        size = sum(one.size for one in findings.filesets)
        lines.append(f"{len(findings.filesets):>9}  {_size(size):>10}  filesets without images")
    seen = findings.seen
    lines.append(f"{findings.count:>9}  {_size(findings.size):>10}  in all, among {seen.files} files")
    kept = {"too young": seen.young, "of unknown names": seen.unknown, "named after all": findings.named}
    words = [f"{count} {what}" for what, count in kept.items() if count]
    return lines + ([f"left alone: {', '.join(words)}"] if words else [])


def show_problems(problems: Problems) -> None:
    """What couldn't be judged or moved, on stderr."""
    for problem in problems.kept:
        say(f"omero: {problem.root}: {printable(problem.path) or '.'}: {problem.message}")
    if problems.count > len(problems.kept):
        say(f"omero: and {problems.count - len(problems.kept)} more")


def show_found(findings: Findings, *, as_json: bool, verbose: bool) -> None:
    """The outcome of ``--dry-run``."""
    if as_json:
        _print_document(findings, None, dry_run=True, verbose=verbose)
    else:
        print_lines(*found_lines(findings, verbose=verbose))
    show_problems(findings.problems)


def show_done(findings: Findings, outcome: Outcome, *, as_json: bool, verbose: bool, delete: bool) -> None:
    """The outcome of a cleanse."""
    if as_json:
        _print_document(findings, outcome, dry_run=False, verbose=verbose)
    else:
        count = sum(one.count for one in outcome.sums.values())
        size = _size(sum(one.size for one in outcome.sums.values()))
        if outcome.filesets:
            print_lines(f"{outcome.filesets} filesets without images deleted by the server")
        if not count and not outcome.filesets:
            print_lines("nothing to do")
        elif not count:
            print_lines("nothing to move")
        elif delete:
            print_lines(f"{count} removed, {size}")
        else:
            print_lines(
                f"{count} moved, {size}, to {outcome.directory}",
                f"put it back: omero admin cleanse --restore {outcome.id}",
                f"remove it: omero admin cleanse --purge {outcome.id}",
            )
    show_problems(findings.problems)
    show_problems(outcome.problems)


def show_quarantines(outcomes: Sequence[Outcome], *, verb: str, as_json: bool) -> None:
    """What became of quarantines."""
    items = [{"id": one.id, **_total(one.sums), "problems": one.problems.count} for one in outcomes]
    if as_json:
        print_json("admin/cleanse/quarantines", {"action": verb, "quarantines": items})
    else:
        for item in items:
            print_lines(f"{item['id']}: {item['count']} {verb}, {_size(item['size'])}")
        if not items:
            print_lines("no quarantine")
    for one in outcomes:
        show_problems(one.problems)


def _print_document(findings: Findings, outcome: Outcome | None, *, dry_run: bool, verbose: bool) -> None:
    seen = findings.seen
    problems = [*findings.problems.kept, *(outcome.problems.kept if outcome else ())]
    document: dict[str, Any] = {
        "dry_run": dry_run,
        "quarantine": outcome.id if outcome and outcome.id else None,
        "found": _sums(findings.sums),
        "moved": _sums(outcome.sums) if outcome else {},
        "filesets_removed": outcome.filesets if outcome else 0,
        "filesets": [one._asdict() for one in findings.filesets],
        "files": seen.files,
        "directories": seen.directories,
        "young": seen.young,
        "unknown": seen.unknown,
        "named": findings.named,
        "problem_count": findings.problems.count + (outcome.problems.count if outcome else 0),
        "problems": [{**one._asdict(), "path": printable(one.path)} for one in problems],
    }
    if not verbose:
        print_json("admin/cleanse", document)
        return
    items = (
        {"kind": one.kind, "root": one.root, "path": printable(one.path), "size": one.size} for one in findings.spool
    )
    print_json_stream("admin/cleanse", document, "items", items)


def _sums(sums: Mapping[Kind, Sum]) -> dict[str, dict[str, int]]:
    return {str(kind): {"count": one.count, "size": one.size} for kind, one in sorted(sums.items())}


def _total(sums: Mapping[Kind, Sum]) -> dict[str, Any]:
    return {"count": sum(one.count for one in sums.values()), "size": sum(one.size for one in sums.values())}


def _sum_lines(sums: Mapping[Kind, Sum]) -> list[str]:
    return [
        f"{sums[kind].count:>9}  {_size(sums[kind].size):>10}  {_WORDS[kind]}"
        for kind in sorted(sums, key=list(_WORDS).index)
    ]


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"

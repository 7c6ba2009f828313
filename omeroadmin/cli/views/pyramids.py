"""Pyramids that go, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omeroadmin.cli.output import print_json, print_lines, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from omeroadmin.repository.pyramid_files import PyramidFile
    from omeroadmin.workflows.pyramids import PyramidPlan, PyramidReport


def plan_lines(plan: PyramidPlan) -> list[str]:
    """What will be done, a line for each pyramid."""
    lines = [f"remove {one.path} ({one.size} bytes, {one.endian} endian)" for one in plan.remove]
    if plan.missing:
        lines.append(f"have {len(plan.missing)} missing pyramids made")
    return lines


def show_plan(plan: PyramidPlan, *, as_json: bool) -> None:
    """What would be done."""
    _say_kept(plan, ())
    if as_json:
        print_json("pyramids", _document(plan, plan.remove, len({one.pixels_id for one in plan.remove}), dry_run=True))
        return
    print_lines(*plan_lines(plan))
    print_lines(f"{len(plan.remove)} pyramids, {plan.size} bytes, would be removed" if plan.remove else "nothing to do")


def show_report(plan: PyramidPlan, report: PyramidReport, *, as_json: bool) -> None:
    """What was done."""
    _say_kept(plan, report.kept)
    if as_json:
        print_json("pyramids", _document(plan, report.removed, report.asked, dry_run=False))
        return
    size = sum(one.size for one in report.removed)
    print_lines(f"{len(report.removed)} pyramids, {size} bytes, removed; PixelData was asked for {report.asked}")


def _document(plan: PyramidPlan, removed: Sequence[PyramidFile], asked: int, *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "removed": [
            {"pixels": one.pixels_id, "path": one.path, "size": one.size, "endian": one.endian if dry_run else None}
            for one in removed
        ],
        "held": [{"pixels": one.pixels_id, "path": one.path, "by": one.held_by} for one in plan.held],
        "unknown": plan.unknown,
        "asked": asked,
        "problems": plan.problems,
    }


def _say_kept(plan: PyramidPlan, kept: Sequence[PyramidFile]) -> None:
    for one in plan.held:
        say(f"omero: {one.path} stays: {one.held_by} says that it is being written")
    for one in kept:
        say(f"omero: {one.path} stays: it is being written now")
    if plan.unknown:
        say(f"omero: {plan.unknown} pyramids belong to no image; see omero admin cleanse")
    for problem in plan.problems:
        say(f"omero: {problem}")

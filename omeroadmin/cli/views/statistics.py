"""Shows what a server holds: tables, or a chart of letters."""

from __future__ import annotations

from omeroadmin.cli.output import Style, print_json, print_lines, print_table, terminal_width
from omeroadmin.cli.views.files import size_text
from omeroadmin.database.statistics import Share, Statistics
from omeroadmin.workflows.statistics import running_total

_BLOCKS = " ▏▎▍▌▋▊▉█"
_ROOM = 34
_WIDEST = 60
_MONTHS = 24
_TABLE = "stats"
"""Tables here are for people; JSON is one document."""


def show_statistics(found: Statistics, *, as_json: bool, top: int) -> None:
    """Everything, most important first.

    :param top: how many groups, users and formats are listed
    """
    if as_json:
        print_json("stats", {**vars(found)})
        return
    counted = [f"{number} {name}" for name, number in found.objects.items() if number]
    print_lines("Objects: " + ", ".join(counted))
    everything = found.imported
    print_lines(
        f"Imports: {size_text(everything.size)} in {everything.files} files of {everything.filesets} filesets,"
        f" {everything.images} images",
        f"Other files: {size_text(found.other_size)} in {found.other_files} files",
        f"Duplicates: {size_text(found.duplicate_size)} in {found.duplicate_files} files that are there once more",
        f"Open sessions: {found.open_sessions}",
    )
    for title, shares in (("Group", found.groups), ("User", found.users), ("Format", found.formats)):
        _shares(title, shares, top)
    _shares("Month", found.months[-12:], 12)
    if found.largest:
        print_lines("")
        rows = [(large.id, large.image, large.user, large.group, large.files, size_text(large.size))
                for large in found.largest]  # fmt: skip
        print_table(_TABLE, ("Largest fileset", "Image", "User", "Group", "Files", "Size"), rows, Style.SQL)
    if found.duplicates:
        print_lines("")
        copies = [(same.copies, size_text(same.size), size_text(same.surplus), same.path) for same in found.duplicates]
        print_table(_TABLE, ("Copies", "Size", "Surplus", "First of them"), copies, Style.SQL)


def show_growth(found: Statistics) -> None:
    """Imports of the last months as bars, with all until then beside them."""
    points = running_total(found.months)[-_MONTHS:]
    if not points:
        print_lines("Nothing was imported yet.")
        return
    width = max(8, min(_WIDEST, terminal_width() - _ROOM))
    most = max(size for _, size, _ in points) or 1
    for month, size, total in points:
        eighths = round(size / most * width * 8)
        bar = "█" * (eighths // 8) + _BLOCKS[eighths % 8].strip()
        print_lines(f"{month}  {bar:<{width}}  {size_text(size):>10}  {size_text(total):>10}")


def _shares(title: str, shares: tuple[Share, ...], top: int) -> None:
    if not shares:
        return
    print_lines("")
    rows = [(share.name, share.filesets, share.images, share.files, size_text(share.size)) for share in shares[:top]]
    print_table(_TABLE, (title, "Filesets", "Images", "Files", "Size"), rows, Style.SQL)
    if len(shares) > top:
        rest = shares[top:]
        print_lines(f"and {len(rest)} more with {size_text(sum(share.size for share in rest))}")

"""What an instance's server holds, and a picture of how it grew."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.statistics import Share, Statistics, statistics
from omeroadmin.errors import configuration_error
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.system import files

_GIGABYTE = 1_000_000_000


def instance_statistics(instance: Instance, *, top: int = 10) -> Statistics:
    """Count what the instance's server holds; nothing but its database is read.

    :param top: how many of the largest imports and duplicates are named
    :raises AdminError: as :func:`omeroadmin.database.connection.connect`
    """
    with connect(DatabaseAddress.from_settings(load_settings(instance))) as connection:
        return statistics(connection, top=top)


def running_total(months: tuple[Share, ...]) -> list[tuple[str, int, int]]:
    """Bytes of each month and of all until its end; months without imports are there, too.

    :param months: oldest first, named ``2026-11``
    :return: month, its bytes, bytes so far
    """
    sizes = {share.name: share.size for share in months}
    points: list[tuple[str, int, int]] = []
    total = 0
    name = months[0].name if months else ""
    while months and name <= months[-1].name:
        total += sizes.get(name, 0)
        points.append((name, sizes.get(name, 0), total))
        year, month = divmod(int(name[:4]) * 12 + int(name[5:]), 12)
        name = f"{year:04d}-{month + 1:02d}"
    return points


def plot_growth(found: Statistics, path: Path) -> None:
    """Draw the imports of each month, and all until then.

    :param path: of the PNG
    :raises AdminError: ``plot-unavailable``, ``plot-empty``, ``file-not-written``
    """
    points = running_total(found.months)
    if not points:
        raise configuration_error("plot-empty", "nothing was imported yet: there is nothing to plot")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise configuration_error(
            "plot-unavailable", "a picture needs matplotlib, which isn't installed", "pip install 'omeroadmin[plot]'"
        ) from error
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    places = range(len(points))
    axes.bar(places, [size / _GIGABYTE for _, size, _ in points], color="#9ecae1", label="each month")
    axes.set_ylabel("imported each month (GB)")
    line = axes.twinx()
    line.plot(places, [total / _GIGABYTE for _, _, total in points], color="#08519c", marker=".", label="in all")
    line.set_ylabel("in all (GB)")
    line.set_ylim(bottom=0)
    shown = places[:: max(1, len(points) // 24)]
    axes.set_xticks(list(shown), [points[place][0] for place in shown], rotation=60)
    axes.set_title("Imports")
    figure.legend(loc="outside upper right")
    with files.atomic_file(path, mode=files.PLAIN_MODE) as stream:
        figure.savefig(stream, format="png", dpi=120)

"""What ``omero import`` does with its options: files or a bulk file, listing or importing, output here or to files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from omeroadmin.cli.import_options import Output, output_files, paths_of
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.session import Connection
from omeroadmin.cli.views.importing import ImportView, print_groups
from omeroadmin.errors import usage_error
from omeroadmin.workflows.import_bulk import Bulk, read_bulk
from omeroadmin.workflows.import_options import ImportOptions
from omeroadmin.workflows.importing import Prepared, import_files, prepare

Job = tuple[list[Path], ImportOptions]


@dataclass(frozen=True)
class Run:
    """A command line.

    :param bulk: the bulk file; ``paths`` is empty then
    :param file: where stdout goes
    :param errs: where stderr goes
    :param prefix: of both
    """

    paths: Sequence[Path] | None
    options: ImportOptions
    bulk: Path | None
    list_only: bool
    output: Output
    file: str | None
    errs: str | None
    prefix: str | None


def run(wanted: Run, connection: Connection) -> bool:
    """Do what is wanted.

    :return: whether every file was imported
    :raises AdminError: what is wrong with options, bulk file, session or target
    """
    if wanted.bulk is None:
        with output_files(wanted.file, wanted.errs, wanted.prefix):
            return _run(wanted, [(paths_of(wanted.paths), wanted.options)], wanted.options, connection)
    if wanted.paths:
        raise usage_error("options-conflict", "a bulk file says itself what to import", "leave the paths out")
    bulk = read_bulk(wanted.bulk, wanted.options)
    wanted = _with_run_options(wanted, bulk)
    with output_files(wanted.file, wanted.errs, wanted.prefix):
        if bulk.dry_run == "true":
            print_lines(*(one.command() for one in bulk.imports))
            return True
        if bulk.dry_run:
            print_lines(*(str(path) for path in bulk.write_scripts()))
            return True
        return _run(wanted, [([one.path], one.options) for one in bulk.imports], bulk.options, connection)


def _run(
    wanted: Run, jobs: list[tuple[list[Path], ImportOptions]], options: ImportOptions, connection: Connection
) -> bool:
    prepared: Prepared = prepare(jobs)
    if wanted.list_only:
        print_groups(prepared)
        return True
    with connection.open() as (client, session), ImportView(prepared, wanted.output, quiet=connection.quiet) as view:
        result = import_files(
            client,
            prepared,
            view.watcher,
            idle_seconds=session.time_to_idle_ms / 1000,
            filesets=options.filesets,
            keep_going=options.keep_going,
        )
    view.finish(result)
    return not result.failed


def _with_run_options(wanted: Run, bulk: Bulk) -> Run:
    own = bulk.run
    if own.get("output", Output.IDS) not in list(Output):
        raise usage_error("option-invalid", f"output is {own['output']!r}, and it is one of {', '.join(Output)}")
    return replace(
        wanted,
        output=Output(own["output"]) if "output" in own else wanted.output,
        file=wanted.file or own.get("file"),
        errs=wanted.errs or own.get("errs"),
        prefix=wanted.prefix or own.get("logprefix"),
    )

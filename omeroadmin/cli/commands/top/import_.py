"""``omero import``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli import import_options as given
from omeroadmin.cli.session import Connection, connects
from omeroadmin.errors import ExitStatus
from omeroadmin.schema.transfers import Transfer

COMMAND_CLASS = given.ImportCommand


@connects
def command(
    connection: Connection,
    paths: given.PathsArgument = None,
    dataset: given.DatasetOption = None,
    screen: given.ScreenOption = None,
    target: given.TargetOption = None,
    name: given.NameOption = None,
    description: given.DescriptionOption = None,
    list_only: given.ListOption = False,
    keep_going: given.ContinueOption = True,
    depth: given.DepthOption = 4,
    exclude: given.ExcludeOption = None,
    skip: given.SkipOption = None,
    transfer: given.TransferOption = Transfer.UPLOAD,
    checksum: given.ChecksumOption = None,
    filesets: given.FilesetsOption = 1,
    uploads: given.UploadsOption = 1,
    bulk: given.BulkOption = None,
    namespaces: given.NamespacesOption = None,
    comments: given.CommentsOption = None,
    links: given.LinksOption = None,
    output: given.OutputOption = given.Output.IDS,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --output json.")] = False,
    file: given.FileOption = None,
    errs: given.ErrsOption = None,
    prefix: given.PrefixOption = None,
) -> None:
    """Import images.

    Files become filesets, checked against their checksums on the way; several OME-TIFF files of one image become one.

    Prints a line Image:ID for each fileset, with the ids of all its images. A file that fails is named on stderr and
    doesn't stop the others; the exit status is 5 then.

    Example: omero import --exclude clientpath -T Dataset:name:cells ~/images
    """
    from omeroadmin.cli.importing import Run, run

    words: dict[str, object] = {
        "name": name, "description": description, "depth": depth, "exclude": exclude, "skip": skip or None,
        "transfer": transfer, "checksum_algorithm": checksum, "parallel_fileset": filesets, "parallel_upload": uploads,
        "continue": keep_going, "annotation_link": links or None,
    }  # fmt: skip
    options = given.options_of(words, target, dataset, screen, namespaces or (), comments or ())
    style = given.Output.JSON if as_json else output
    wanted = Run(paths, options, bulk, list_only, style, file, errs, prefix)
    if not run(wanted, connection):
        raise typer.Exit(ExitStatus.FAILED)

"""The options of ``omero import``, and what they come to."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from typer.core import TyperCommand

from omeroadmin.errors import usage_error
from omeroadmin.schema.transfers import Transfer

if TYPE_CHECKING:
    from omeroadmin.workflows.import_options import ImportOptions


class Exclusion(StrEnum):
    """How files are told that the server has already."""

    CLIENTPATH = "clientpath"
    FILENAME = "filename"


class SkippedStep(StrEnum):
    """Steps that can be left out."""

    ALL = "all"
    CHECKSUM = "checksum"
    MINMAX = "minmax"
    THUMBNAILS = "thumbnails"
    UPGRADE = "upgrade"


class Output(StrEnum):
    """What stdout tells of each fileset."""

    IDS = "ids"
    LEGACY = "legacy"
    YAML = "yaml"
    JSON = "json"


class ImportCommand(TyperCommand):
    """A command whose options may follow ``--``, as those for OMERO's Java importer do."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words; a ``--`` before an option has no meaning."""
        following = [*args, ""][1:]
        kept = [word for word, after in zip(args, following, strict=True) if word != "--" or after[:2] != "--"]
        return super().parse_args(ctx, kept)


_Text: TypeAlias = str | None

PathsArgument = Annotated[
    list[Path] | None,
    typer.Argument(metavar="PATH...", readable=False, help="Files and folders; - alone: a list of them on stdin."),
]
NameOption = Annotated[_Text, typer.Option("-n", "--name", help="Name of the images instead of the files'.")]
DescriptionOption = Annotated[_Text, typer.Option("-x", "--description", help="Description of the images.")]
DatasetOption = Annotated[_Text, typer.Option("-d", metavar="DATASET_ID", help="Dataset to put the images into.")]
ScreenOption = Annotated[_Text, typer.Option("-r", metavar="SCREEN_ID", help="Screen to put the plates into.")]
TargetOption = Annotated[
    _Text,
    typer.Option(
        "-T", "--target",
        help="Dataset:ID, Screen:name:NAME, Project:name:P/Dataset:name:D or regex:PATTERN;"
        " before name + (newest), - (oldest), % (only one), @ (new).",
    ),
]  # fmt: skip
ListOption = Annotated[bool, typer.Option("-f", help="Print the files that would be imported, in groups, and stop.")]
ContinueOption = Annotated[
    bool,
    typer.Option(
        "-c/--no-continue", "--continue/", show_default=False, help="Go on after a file that fails (default), or not."
    ),
]
DepthOption = Annotated[int, typer.Option("--depth", min=0, help="Levels of folders to look into below each PATH.")]
SkipOption = Annotated[
    list[SkippedStep] | None,
    typer.Option("--skip", help="Leave a step out; checksum: compare sizes only. May be repeated."),
]
ExcludeOption = Annotated[
    Exclusion | None,
    typer.Option("--exclude", help="Leave out files that were imported before, by their paths or their names."),
]
TransferOption = Annotated[
    Transfer,
    typer.Option(
        "--transfer",
        help="upload: send; ln, ln_s, cp: link or copy into the repository from this machine;"
        " with _rm: remove the file here when the import is complete.",
    ),
]
ChecksumOption = Annotated[
    _Text, typer.Option("--checksum-algorithm", metavar="NAME", help="Algorithm to use, e.g. MD5-128 or File-Size-64.")
]
FilesetsOption = Annotated[
    int, typer.Option("--parallel-fileset", min=1, max=64, metavar="COUNT", help="Filesets to import at once.")
]
UploadsOption = Annotated[
    int, typer.Option("--parallel-upload", min=1, max=64, metavar="COUNT", help="Files of a fileset to send at once.")
]
BulkOption = Annotated[
    Path | None, typer.Option("--bulk", metavar="FILE", help="YAML file with options and a list of what to import.")
]
OutputOption = Annotated[
    Output, typer.Option("--output", help="ids: Image:ID lines; legacy: ids of pixels; yaml; json.")
]
NamespacesOption = Annotated[
    list[str] | None, typer.Option("--annotation-ns", "--annotation_ns", help="Namespace of the comment that follows.")
]
CommentsOption = Annotated[
    list[str] | None, typer.Option("--annotation-text", "--annotation_text", help="Comment on each image.")
]
LinksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--annotation-link", "--annotation_link", metavar="ID",
        help="Annotation on the server to link to each image. May be repeated.",
    ),
]  # fmt: skip
FileOption = Annotated[_Text, typer.Option("--file", metavar="FILE", help="Write stdout to this file.")]
ErrsOption = Annotated[_Text, typer.Option("--errs", metavar="FILE", help="Write stderr to this file.")]
PrefixOption = Annotated[
    _Text, typer.Option("--logprefix", metavar="DIR", help="Folder, or beginning of the names, of --file and --errs.")
]


def options_of(
    words: dict[str, object], target: _Text, dataset: _Text, screen: _Text,
    namespaces: Sequence[str], comments: Sequence[str],
) -> ImportOptions:  # fmt: skip
    """The options of a command line.

    :param words: those that are one value each, by their names; ``None``: not given
    :raises AdminError: ``options-conflict``, ``option-invalid``, ``target-invalid``
    """
    from omeroadmin.workflows.import_options import ImportOptions, with_comments, with_option

    targets = {"target": target, "d": dataset, "r": screen}
    given = {name: text for name, text in targets.items() if text is not None}
    if len(given) > 1:
        raise usage_error("options-conflict", "-T, -d and -r each say where to import to", "give one of them")
    options = ImportOptions()
    for name, value in {**words, **given}.items():
        if value is not None:
            options = with_option(options, name, value)
    return with_comments(options, list(namespaces), list(comments))


def paths_of(paths: Sequence[Path] | None) -> list[Path]:
    """The paths of a command line, or those of stdin.

    :raises AdminError: ``paths-missing``
    """
    found = list(paths or ())
    if found == [Path("-")]:
        found = [Path(line.rstrip("\r\n")) for line in sys.stdin if line.strip()]
    if not found:
        raise usage_error("paths-missing", "there is nothing to import", "name files or folders: omero import PATH")
    return found


@contextlib.contextmanager
def output_files(file: _Text, errs: _Text, prefix: _Text) -> Iterator[None]:
    """Within, stdout and stderr go to files where they are named.

    :raises AdminError: ``file-not-written``
    """
    from omeroadmin.system.files import file_error

    with contextlib.ExitStack() as stack:
        for name, redirect in ((file, contextlib.redirect_stdout), (errs, contextlib.redirect_stderr)):
            if not name:
                continue
            path = Path(name) if not prefix else Path(f"{prefix}{os.sep if Path(prefix).is_dir() else ''}{name}")
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                stream = stack.enter_context(path.open("w", encoding="utf-8", errors="backslashreplace"))
            except OSError as error:
                raise file_error("written", path, error) from error
            stack.enter_context(redirect(stream))
        yield

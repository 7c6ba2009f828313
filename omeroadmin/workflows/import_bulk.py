"""Bulk imports: a YAML file with options, and a list of files with options of their own."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, usage_error
from omeroadmin.system import files
from omeroadmin.workflows.import_options import ImportOptions, with_option

_MOST_INCLUDES = 32
_SCRIPT_MODE = 0o755
_SPECIAL = ("path", "columns", "include", "dry_run")
_ALSO = ("output", "file", "errs", "logprefix")
"""Options of the whole run."""


@dataclass(frozen=True)
class BulkImport:
    """One line of the list: files or folders, and how they are imported.

    :param own: options of the bulk file and of the line, as they were written
    """

    path: Path
    options: ImportOptions
    own: tuple[tuple[str, object], ...]

    def command(self) -> str:
        """The command that does the same."""
        words = ["omero", "import"]
        for name, value in self.own:
            words += _as_option(name, value)
        return shlex.join([*words, str(self.path)])


@dataclass(frozen=True)
class Bulk:
    """What a bulk file asks for.

    :param dry_run: ``""``: import; ``true``: only show; else the pattern of names of scripts, with ``%s``
    :param run: options of the whole run: ``output``, ``file``, ``errs``, ``logprefix``
    """

    imports: tuple[BulkImport, ...]
    options: ImportOptions
    dry_run: str
    run: dict[str, str]
    directory: Path

    def write_scripts(self) -> list[Path]:
        """Write each import as a script, and do none.

        :raises AdminError: ``bulk-invalid``, ``file-not-written``
        """
        if "%s" not in self.dry_run and len(self.imports) > 1:
            raise _invalid(self.directory, f"dry_run {self.dry_run!r} has no %s for the number of the script")
        written = []
        for number, one in enumerate(self.imports, start=1):
            path = self.directory / self.dry_run.replace("%s", str(number))
            files.write_atomically(path, f"#!/bin/sh\nexec {one.command()}\n", mode=_SCRIPT_MODE)
            written.append(path)
        return written


def read_bulk(path: Path, options: ImportOptions) -> Bulk:
    """Read a bulk file, the files that it includes, and its list; paths are relative to the bulk file's directory.

    :param options: those of the command line, which the file's come after
    :raises AdminError: ``file-not-read``, ``bulk-invalid``, ``option-unknown``, ``option-invalid``,
        ``target-invalid``
    """
    whole = Path(path).absolute()
    settings: dict[str, Any] = {}
    for document in reversed(list(_included(whole))):
        settings.update(document)
    listed = settings.get("path")
    if not isinstance(listed, str) or not listed:
        raise _invalid(whole, "it has no path, the file with the list of what to import")
    directory = whole.parent
    columns = settings.get("columns")
    if columns is not None and (
        not isinstance(columns, list) or "path" not in columns or not all(isinstance(name, str) for name in columns)
    ):
        raise _invalid(whole, "columns is not a list of options with path among them")
    common = [(str(name), value) for name, value in settings.items() if name not in (*_SPECIAL, *_ALSO)]
    shared = _with_all(options, common, whole)
    imports = tuple(
        BulkImport(directory / row.pop("path"), _with_all(shared, list(row.items()), origin), (*common, *row.items()))
        for origin, row in _rows(directory / listed, columns)
    )
    run = {name: str(settings[name]) for name in _ALSO if name in settings}
    return Bulk(imports, shared, _dry_run(settings.get("dry_run", False)), run, directory)


def _included(path: Path) -> Iterator[dict[str, Any]]:
    import yaml

    seen: list[Path] = []
    while True:
        if path in seen or len(seen) >= _MOST_INCLUDES:
            raise _invalid(path, "it includes itself")
        seen.append(path)
        try:
            document = yaml.safe_load(files.read_text(path))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"line {mark.line + 1}: " if mark is not None else ""
            raise _invalid(path, f"{where}{getattr(error, 'problem', None) or 'this is not YAML'}") from error
        if not isinstance(document, dict):
            raise _invalid(path, "it is not a map of options")
        yield document
        following = document.get("include")
        if following is None:
            return
        if not isinstance(following, str):
            raise _invalid(path, "include is not the path of a file")
        path = Path(path.parent / following).absolute()


def _rows(path: Path, columns: list[str] | None) -> Iterator[tuple[str, dict[str, str]]]:
    """Each line's place and its fields by column."""
    lines = files.read_text(path).splitlines()
    if columns is None:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield f"{path}:{number}", {"path": line.strip()}
        return
    for number, fields in _fields(path, lines):
        if len(fields) != len(columns):
            raise _invalid(path, f"line {number} has {len(fields)} fields, and there are {len(columns)} columns")
        row = {name: field for name, field in zip(columns, fields, strict=True) if field}
        if "path" not in row:
            raise _invalid(path, f"line {number} has no path")
        yield f"{path}:{number}", row


def _fields(path: Path, lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    delimiter = {".tsv": "\t", ".csv": ","}.get(path.suffix.lower())
    if delimiter is not None:
        reader = csv.reader(lines, delimiter=delimiter)
        for fields in reader:
            if any(fields):
                yield reader.line_num, fields
        return
    for number, line in enumerate(lines, start=1):
        try:
            fields = shlex.split(line)
        except ValueError as error:
            raise _invalid(path, f"line {number}: {error}") from error
        if fields:
            yield number, fields


def _with_all(options: ImportOptions, settings: list[tuple[str, Any]], origin: object) -> ImportOptions:
    for name, value in settings:
        try:
            options = with_option(options, name, value)
        except AdminError as error:
            raise AdminError(
                error.code, f"{origin}: {error.message}", hint=error.hint, exit_status=error.exit_status
            ) from error
    return options


def _dry_run(value: object) -> str:
    text = str(value)
    return "" if text.lower() in ("false", "none", "") else "true" if text.lower() == "true" else text


def _as_option(name: str, value: object) -> list[str]:
    plain = name.replace("_", "-")
    if plain in ("continue", "c"):
        return ["-c"] if str(value).lower() in ("true", "1", "yes", "on") else ["--no-continue"]
    values = value if isinstance(value, list) else [value]
    return [word for one in values for word in ((f"-{plain}", str(one)) if len(plain) == 1 else (f"--{plain}={one}",))]


def _invalid(path: Path, why: str) -> AdminError:
    return usage_error("bulk-invalid", f"{path}: {why}", "see the page on imports for what a bulk file may have")

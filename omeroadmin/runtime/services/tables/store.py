"""Tables in HDF5 files, whole at any moment."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tables

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.repository.layout import original_file_path
from omeroadmin.runtime.services.tables.unpickling import allow_plain_values_only
from omeroadmin.system import files

allow_plain_values_only()

_NODE = "/OME"
_TABLE = "Measurements"
_STRING_BYTES = 256
_TYPES = {"long": "LongColumn", "double": "DoubleColumn", "bool": "BoolColumn", "string": "StringColumn"}
"""Types of the API, and OMERO's names of them, which stand in the file."""


@dataclass(frozen=True)
class Column:
    """A column.

    :param type: ``long``, ``double``, ``bool`` or ``string``
    """

    name: str
    type: str


class TableStore:
    """The tables of a data directory, by the id of their original file.

    :param data_directory: ``omero.data.dir``
    """

    def __init__(self, data_directory: Path) -> None:
        self._data_directory = data_directory

    def create(self, table_id: int, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> int:
        """Make a table.

        :return: number of rows
        :raises AdminError: ``table-exists``, ``table-invalid``, ``file-not-written``
        """
        path = self._path(table_id)
        if path.exists():
            raise failed_error("table-exists", f"table {table_id} exists already")
        _check_columns(columns)
        values = _checked_rows(columns, rows)
        files.make_directory(path.parent, mode=0o750)
        temporary = _temporary(path)
        try:
            with tables.open_file(str(temporary), "w") as file:
                group = file.create_group("/", _NODE.strip("/"))
                description = {f"c{at}": _hdf5_column(column.type, at) for at, column in enumerate(columns)}
                table = file.create_table(group, _TABLE, description)
                table.attrs.names = [column.name for column in columns]
                table.attrs.types = [_TYPES[column.type] for column in columns]
                _append(table, values)
            _publish(temporary, path)
        except (OSError, tables.HDF5ExtError) as error:
            raise _not_written(path, error) from error
        finally:
            temporary.unlink(missing_ok=True)
        return len(values)

    def append(self, table_id: int, rows: Sequence[Sequence[Any]]) -> int:
        """Add rows; readers see all of them or none.

        :return: number of rows that the table has now
        :raises AdminError: ``table-missing``, ``table-invalid``, ``table-unreadable``, ``file-not-written``
        """
        path = self._existing(table_id)
        temporary = _temporary(path)
        try:
            # HDF5 leaves a file that a crash cut off unreadable, so the change is made to a copy.
            shutil.copyfile(path, temporary)
            with tables.open_file(str(temporary), "a") as file:
                table = file.get_node(_NODE, _TABLE)
                _append(table, _checked_rows(_columns_of(table), rows))
                total = int(table.nrows)
            _publish(temporary, path)
        except tables.HDF5ExtError as error:
            raise failed_error("table-unreadable", f"table {table_id} is not whole") from error
        except OSError as error:
            raise _not_written(path, error) from error
        finally:
            temporary.unlink(missing_ok=True)
        return total

    def read(self, table_id: int, start: int, stop: int | None) -> dict[str, Any]:
        """Columns and rows of a table.

        :param start: first row, from 0
        :param stop: row after the last one; ``None`` for all
        :raises AdminError: ``table-missing``, ``table-unreadable``
        """
        path = self._existing(table_id)
        try:
            with tables.open_file(str(path), "r") as file:
                table = file.get_node(_NODE, _TABLE)
                columns = _columns_of(table)
                total = int(table.nrows)
                end = total if stop is None else min(stop, total)
                found = table.read(start, end) if start < end else []
                rows = [[_plain(row[f"c{at}"]) for at in range(len(columns))] for row in found]
        except (OSError, tables.HDF5ExtError, tables.NoSuchNodeError) as error:
            raise failed_error("table-unreadable", f"table {table_id} is not whole: {path}") from error
        return {
            "columns": [{"name": column.name, "type": column.type} for column in columns],
            "rows": rows,
            "total": total,
        }

    def _path(self, table_id: int) -> Path:
        return original_file_path(self._data_directory, table_id)

    def _existing(self, table_id: int) -> Path:
        path = self._path(table_id)
        if not path.is_file():
            raise failed_error("table-missing", f"there is no table {table_id}")
        return path


def _hdf5_column(kind: str, position: int) -> Any:
    if kind == "string":
        return tables.StringCol(_STRING_BYTES, pos=position)
    return {"long": tables.Int64Col, "double": tables.Float64Col, "bool": tables.BoolCol}[kind](pos=position)


def _check_columns(columns: Sequence[Column]) -> None:
    names = [column.name for column in columns]
    unknown = [column.type for column in columns if column.type not in _TYPES]
    if unknown:
        raise failed_error("table-invalid", f"{unknown[0]!r} is no type of column; known are {', '.join(_TYPES)}")
    if not names or len(set(names)) != len(names) or not all(names):
        raise failed_error("table-invalid", "a table needs columns with different names")


def _checked_rows(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    result: list[tuple[Any, ...]] = []
    for number, row in enumerate(rows):
        if not isinstance(row, list | tuple) or len(row) != len(columns):
            raise failed_error("table-invalid", f"row {number} has not {len(columns)} values")
        result.append(tuple(_checked(column, value, number) for column, value in zip(columns, row, strict=True)))
    return result


def _checked(column: Column, value: object, row: int) -> object:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if column.type == "string" and isinstance(value, str):
        encoded = value.encode()
        if len(encoded) <= _STRING_BYTES:
            return encoded
        raise failed_error("table-invalid", f"row {row}: {column.name} is longer than {_STRING_BYTES} bytes")
    if column.type == "bool" and isinstance(value, bool):
        return value
    if column.type == "long" and isinstance(value, int) and number and -(2**63) <= value < 2**63:
        return value
    if column.type == "double" and isinstance(value, int | float) and number:
        return float(value)
    raise failed_error("table-invalid", f"row {row}: {column.name} is {value!r}, which is no {column.type}")


def _columns_of(table: Any) -> list[Column]:
    kinds = {stored: name for name, stored in _TYPES.items()}
    return [Column(name, kinds[kind]) for name, kind in zip(table.attrs.names, table.attrs.types, strict=True)]


def _append(table: Any, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        table.append(rows)
    table.flush()


def _plain(value: Any) -> object:
    plain = value.item() if hasattr(value, "item") else value
    return plain.decode("utf-8", "replace") if isinstance(plain, bytes) else plain


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")


def _publish(temporary: Path, path: Path) -> None:
    temporary.chmod(0o640)
    descriptor = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    files.sync_directory(path.parent)


def _not_written(path: Path, error: Exception) -> AdminError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).strip().splitlines()[-1]
    return failed_error("file-not-written", f"{path} can't be written: {reason}", "see the log of Tables-0")

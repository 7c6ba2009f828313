"""PyTables unpickles the attributes that it meets in a file, and a pickle may run any code.

Blitz lets nobody bring tables of their own. Should a file get here all the same, its attributes may be plain values.
"""

from __future__ import annotations

import io
import pickle
from types import SimpleNamespace
from typing import Any, NoReturn

import tables.atom
import tables.attributeset


class _PlainValues(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> NoReturn:
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is no plain value")


def loads(data: bytes, **options: Any) -> Any:
    """What a pickle holds, if that is made of texts, numbers, lists and the like.

    :raises pickle.UnpicklingError: where it names anything to be imported
    """
    return _PlainValues(io.BytesIO(data), **options).load()


def allow_plain_values_only() -> None:
    """Have PyTables read pickles by :func:`loads` from now on."""
    careful = SimpleNamespace(
        loads=loads,
        dumps=pickle.dumps,
        HIGHEST_PROTOCOL=pickle.HIGHEST_PROTOCOL,
        UnpicklingError=pickle.UnpicklingError,
    )
    for module in (tables.attributeset, tables.atom):
        module.pickle = careful

"""Text that a command is given as a file or on stdin."""

from __future__ import annotations

import sys
from pathlib import Path

from omeroadmin.errors import configuration_error
from omeroadmin.system.files import read_text


def read_input(name: str) -> str:
    """Content of a file, or of stdin where the name is ``-``.

    :raises AdminError: ``file-not-read``, ``input-not-text``
    """
    if name != "-":
        return read_text(Path(name))
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise configuration_error("input-not-text", f"stdin is not UTF-8 text (byte {error.start})") from error

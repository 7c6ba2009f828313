"""Wheels made by tests: small Python packages that pip accepts."""

from __future__ import annotations

import zipfile
from pathlib import Path

_WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def small_wheel(directory: Path, name: str, version: str, content: str = "", program: str = "") -> Path:
    """A wheel with one module.

    :param content: of the module
    :param program: name of a program that calls ``main`` of the module
    """
    path = directory / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", _WHEEL)
        if program:
            archive.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{program} = {name}:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return path

"""Instances that are a directory with a config.xml, and `omero` in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

INSTALLED = str(Path(sys.executable).with_name("omero"))
"""The console script, as users start it."""

ACTIVE_START = '<properties id="__ACTIVE__">'


def config_file(directory: Path, content: str | None = None) -> Path:
    """A config.xml, or the name of one, in an instance below a directory."""
    file = directory / "OMERO.server" / "etc" / "grid" / "config.xml"
    file.parent.mkdir(parents=True, exist_ok=True)
    if content is not None:
        file.write_text(content, "utf-8")
    return file


def environment(config_xml: Path, **extra: str) -> dict[str, str]:
    """Variables of a clean login for the instance of a config.xml, plus what coverage needs."""
    passed = {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "PYTHON"))}
    home = config_xml.parents[3]
    return {
        **passed,
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "OMERODIR": str(config_xml.parents[2]),
        "LANG": "C.UTF-8",
        **extra,
    }


def omero(
    config_xml: Path, *arguments: str, program: str = "", input_text: str = "", **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run `omero`, whatever its status.

    :param program: Python code to run instead of the entry
    :param extra: environment variables
    """
    start = ["-c", program] if program else ["-m", "omeroadmin"]
    return _run([sys.executable, *start, *arguments], config_xml, input_text, extra)


def installed(
    config_xml: Path, *arguments: str, input_text: str = "", **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run the installed `omero`, whatever its status.

    :param extra: environment variables
    """
    return _run([INSTALLED, *arguments], config_xml, input_text, extra)


def _run(
    command: list[str], config_xml: Path, input_text: str, extra: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=environment(config_xml, **extra),
        cwd=Path(__file__).resolve().parents[2],
        input=input_text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

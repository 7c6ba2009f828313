"""Processes that work in a directory: what a test has left running, or waits for."""

from __future__ import annotations

from pathlib import Path

import psutil

from omeroadmin.system.clock import wait_until


def working_in(directory: Path) -> list[str]:
    """Command lines of the processes with a working directory below a directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(directory):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def wait_for(program: str, directory: Path) -> None:
    """Until a program works below a directory."""
    found = wait_until(
        lambda: any(program in command for command in working_in(directory)), timeout=120, longest_pause=0.01
    )
    assert found, f"{program} was never started"

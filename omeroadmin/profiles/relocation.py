"""Properties whose directories go to another place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def relocated(values: Mapping[str, str], moves: Mapping[str, Path]) -> dict[str, str]:
    """Properties whose paths lie in what moves, with their new paths.

    :param values: properties that are set
    :param moves: new directories by the old ones, as the settings have them
    """
    changed: dict[str, str] = {}
    for name, value in values.items():
        path = value.rstrip("/")
        for old in sorted(moves, key=len, reverse=True):
            if path == old or path.startswith(f"{old}/"):
                changed[name] = f"{moves[old]}{path[len(old) :]}"
                break
    return changed

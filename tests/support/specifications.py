"""Specifications of servers, made from the few fields that a test is about."""

from __future__ import annotations

import dataclasses
from typing import Any

from omeroadmin.grid.model import ServerSpecification

_BASE = ServerSpecification(
    identifier="Blitz-0",
    executable="python",
    options=("-m", "runtime"),
    working_directory=".",
    environment=(("A", "b"),),
    activation="always",
    activation_timeout=120,
    deactivation_timeout=10,
    properties=(("omero.example", "a b"),),
    node="master",
)


def specification(**changes: Any) -> ServerSpecification:
    """Blitz-0 with some fields changed."""
    return dataclasses.replace(_BASE, **changes)

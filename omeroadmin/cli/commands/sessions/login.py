"""``omero sessions login`` is ``omero login``."""

from __future__ import annotations

from omeroadmin.cli.commands.top.login import command

__all__ = ["command"]

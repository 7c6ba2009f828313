"""``omero sessions logout`` is ``omero logout``."""

from __future__ import annotations

from omeroadmin.cli.commands.top.logout import command

__all__ = ["command"]

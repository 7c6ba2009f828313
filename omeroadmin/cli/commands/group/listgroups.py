"""``omero group listgroups`` is ``omero user listgroups``."""

from __future__ import annotations

from omeroadmin.cli.commands.user.listgroups import command

__all__ = ["command"]

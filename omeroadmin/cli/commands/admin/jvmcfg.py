"""``omero admin jvmcfg``."""

from __future__ import annotations

from omeroadmin.cli.context import require_instance


def command() -> None:
    """Print the memory that the next start gives to each service.

    Example: omero admin jvmcfg
    """
    from omeroadmin.cli.views.lifecycle import print_memory
    from omeroadmin.workflows.rewrite import memory_settings

    print_memory(memory_settings(require_instance()))

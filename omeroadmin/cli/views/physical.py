"""Settings for physical backups of a database on its own host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omeroadmin.cli.output import print_lines

if TYPE_CHECKING:
    from omeroadmin.workflows.physical import ExternalSettings


def show_external(settings: ExternalSettings) -> None:
    """What goes into which file, as text that can be copied; who runs what comes first, as a comment."""
    print_lines(
        "# The database is none of this instance's own: pgBackRest runs on its host, as PostgreSQL's user.",
        f"# 1. {settings.configuration_path}:",
        *settings.configuration.splitlines(),
        "",
        "# 2. postgresql.conf, then restart PostgreSQL:",
        *settings.settings.splitlines(),
        "",
        "# 3. pgbackrest --stanza=omero stanza-create; pgbackrest --stanza=omero check",
        "# 4. Daily, before omero backup create: pgbackrest --stanza=omero backup",
    )

"""``omero config edit``."""

from __future__ import annotations

import os
import sys

from omeroadmin.cli.config_options import WAIT_DEFAULT, Force, Wait
from omeroadmin.cli.context import config_file
from omeroadmin.cli.editing import edit_profile
from omeroadmin.cli.output import print_lines, say
from omeroadmin.cli.views.changes import difference_lines, warn_unknown
from omeroadmin.profiles.editing import start_editing
from omeroadmin.system.editor import editor_command


def command(force: Force = False, wait: Wait = WAIT_DEFAULT) -> None:
    """Edit all properties of the active profile as one text.

    The editor is that of VISUAL, else of EDITOR, else vi or nano. It gets the text of a properties file, with what each
    property is for as comments; a line that is removed unsets its property.

    All is saved, or nothing: not where the editor fails, where a value is wrong, or where somebody else has changed the
    profile meanwhile.

    Example: omero config edit
    """
    config_xml = config_file()
    editor = editor_command(os.environ, on_terminal=sys.stdin.isatty() and sys.stdout.isatty())
    changes = edit_profile(config_xml, start_editing(config_xml, wait), editor, force=force, wait=wait)
    if not changes:
        say("Nothing has changed.")
    print_lines(*difference_lines(changes.properties))
    warn_unknown(*(change.name for change in changes.properties if change.new is not None))

"""The talk of `omero config edit`: into the editor, back into it after a mistake, and nothing lost at the end."""

from __future__ import annotations

import sys
from pathlib import Path

from omeroadmin.cli.boundary import report
from omeroadmin.errors import AdminError
from omeroadmin.profiles.changes import Changes
from omeroadmin.profiles.editing import Edited, editable_text, read_edited, save_edited
from omeroadmin.profiles.reader import Profile
from omeroadmin.system.editor import Draft, draft


def edit_profile(config_xml: Path, profile: Profile, command: list[str], *, force: bool, wait: float) -> Changes:
    """Let the user edit a profile, and save what comes of it.

    :param command: the editor
    :param force: whether values of a wrong kind are taken
    :param wait: seconds to queue for the lock
    :raises AdminError: as :class:`omeroadmin.system.editor.Draft`, and as
        :func:`omeroadmin.profiles.editing.read_edited` and :func:`omeroadmin.profiles.editing.save_edited`
    """
    with draft(editable_text(profile), "omero.properties") as text:
        edited = _edit(text, profile, command, force=force)
        if not edited.changes:
            return Changes(profile.name)
        try:
            return save_edited(config_xml, edited, cause="config edit", wait=wait)
        except AdminError as error:
            file = text.keep()
            hint = f"your text is kept: omero config apply --prune --dry-run {file}"
            raise AdminError(error.code, error.message, hint=hint, exit_status=error.exit_status) from error


def _edit(text: Draft, profile: Profile, command: list[str], *, force: bool) -> Edited:
    """Edit until there is no mistake, or the user has had enough."""
    while True:
        text.edit(command)
        try:
            return read_edited(text.text(), profile, text.file.name, force=force)
        except AdminError as error:
            if not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise
            if not _wants_to_go_back(error):
                raise AdminError(error.code, "nothing was changed", exit_status=error.exit_status) from error


def _wants_to_go_back(error: AdminError) -> bool:
    report(error)
    sys.stderr.write("Nothing is saved yet. Back into the editor? [Y/n] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    return bool(answer) and answer.strip().lower() in ("", "y", "yes")

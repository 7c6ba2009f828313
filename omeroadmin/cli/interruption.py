"""What an interrupted command leaves behind, in words: Ctrl-C shall answer the question that it raises."""

from __future__ import annotations


class Interrupted(Exception):  # noqa: N818 - it is no error
    """A command was ended by Ctrl-C; an exception that Typer, which turns an interrupt into a silent status, lets pass.

    :param command: as typed, e.g. ``omero admin reindex``
    """

    def __init__(self, command: str) -> None:
        super().__init__(command)
        self.command = command

    def line(self) -> str:
        """What was interrupted, and what that leaves."""
        return f"Interrupted: {self.command}; {_AFTER.get(self.command.removeprefix('omero '), _OTHERWISE)}"


_OTHERWISE = "what was complete by then stays and nothing is half-done; it can be run again"
"""Files are replaced whole and changes of the database are transactions: what isn't so is named below."""

_SERVER_DECIDES = "the server does all of it or nothing: look before running it again"
_SERVERS = "see how the servers are: omero admin status"
_GOES_ON = "run it again: it goes on where it was"
_HOSTS = "hosts that were left at work may be half-changed: run it again"
_MOVE = "run it again, or take it back with --undo where it had come too far to be put back"
_SESSION = "the session stays open until its timeout"

_AFTER: dict[str, str] = {
    "admin start": f"what was started is stopped; {_SERVERS}",
    "admin restart": _SERVERS,
    "admin startasync": _SERVERS,
    "admin restartasync": _SERVERS,
    "admin stop": f"servers that were asked to stop do so; {_SERVERS}",
    "admin deploy": _SERVERS,
    "admin waitup": "only the waiting ended",
    "admin waitdown": "only the waiting ended",
    "admin reindex": f"searches may find less until it is complete; {_GOES_ON}",
    "admin move-data": _MOVE,
    "admin move-managed": _MOVE,
    "backup create": "no snapshot was taken; run it again",
    "backup restore": _GOES_ON,
    "chgrp": _SERVER_DECIDES,
    "chown": _SERVER_DECIDES,
    "delete": _SERVER_DECIDES,
    "db dump": "the directory of the dump is removed; run it again",
    "db init": _GOES_ON,
    "db restore": "the database may be incomplete: run it again with the same dump before anything else",
    "fs check": _GOES_ON,
    "hosts apply": _HOSTS,
    "hosts run": "programs that were begun on hosts may still run there",
    "hosts undo": _HOSTS,
    "import": "filesets that were complete stay; omero import --exclude clientpath leaves out what the server has",
    "install": _GOES_ON,
    "sessions keepalive": _SESSION,
    "upload": "files that were named on stdout are on the server; the others are not",
}

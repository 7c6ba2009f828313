"""All commands by name; a module is imported only when its command is asked for or listed.

The command ``omero GROUP NAME`` is the function ``command`` of ``omeroadmin.cli.commands.GROUP.NAME``, and
``omero NAME`` that of ``omeroadmin.cli.commands.top.NAME`` (hyphens as underscores; Python's own words get a
trailing underscore). Its docstring is its help.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """A group of commands.

    :param help: its line in ``omero --help``
    :param options: module of ``omeroadmin.cli`` whose function ``group_options`` takes the group's own options
    """

    help: str
    commands: tuple[str, ...]
    options: str = ""


GROUPS: dict[str, Group] = {
    "config": Group(
        "Read and change the server's properties (config.xml).",
        (
            "all",
            "append",
            "apply",
            "def",
            "describe",
            "diff",
            "drop",
            "edit",
            "export",
            "get",
            "keys",
            "lint",
            "list",
            "load",
            "lock",
            "log",
            "parse",
            "path",
            "remove",
            "rollback",
            "search",
            "set",
            "upgrade",
            "version",
        ),
        options="config_options",
    ),
    "db": Group(
        "Create, check and upgrade the database.", ("init", "check", "upgrade", "dump", "restore", "password", "script")
    ),
    "admin": Group(
        "Start, stop, watch and diagnose the server.",
        (
            "start",
            "startasync",
            "stop",
            "stopasync",
            "restart",
            "restartasync",
            "status",
            "waitup",
            "waitdown",
            "rewrite",
            "deploy",
            "ice",
            "checkice",
            "jvmcfg",
            "diagnostics",
            "cleanse",
            "reindex",
            "fixpyramids",
            "removepyramids",
            "move-data",
            "move-managed",
            "stats",
        ),
    ),
    "web": Group("Configure the web server in front of OMERO.web.", ("config",)),
    "sessions": Group(
        "Open, use and close sessions: yours and others'.",
        (
            "login",
            "logout",
            "list",
            "who",
            "group",
            "timeout",
            "keepalive",
            "file",
            "key",
            "clear",
            "open",
            "close",
        ),
    ),
    "user": Group(
        "Create, list and change users.",
        (
            "add",
            "list",
            "info",
            "listgroups",
            "password",
            "email",
            "joingroup",
            "leavegroup",
            "privileges",
        ),
    ),
    "group": Group(
        "Create, list and change groups and who is in them.",
        (
            "add",
            "list",
            "info",
            "listgroups",
            "listusers",
            "perms",
            "adduser",
            "removeuser",
            "copyusers",
        ),
    ),
    "fs": Group(
        "Look after repositories, filesets and their files.",
        ("repos", "sets", "images", "ls", "usage", "check", "mkdir", "logfile", "importtime"),
    ),
    "obj": Group(
        "Make, read and change single objects on the server.",
        ("new", "update", "get", "list-get", "map-get", "map-set", "null"),
    ),
    "backup": Group(
        "Take, list, verify and restore snapshots.",
        ("create", "archive", "list", "show", "diff", "verify", "restore", "drill", "prune", "schedule"),
    ),
    "metrics": Group("Show metrics for Prometheus.", ("show",)),
    "hosts": Group(
        "Roll out over SSH: the hosts and what they shall be.",
        ("list", "graph", "check", "run", "facts", "plan", "diff", "apply", "report", "undo"),
    ),
}

TOP_COMMANDS: tuple[str, ...] = (
    "install",
    "certificates",
    "node",
    "login",
    "logout",
    "import",
    "upload",
    "download",
    "search",
    "delete",
    "chgrp",
    "chown",
    "load",
    "version",
)
"""Commands without a group."""

ORDER: tuple[str, ...] = (
    "install",
    "config",
    "db",
    "certificates",
    "admin",
    "node",
    "web",
    "backup",
    "metrics",
    "hosts",
    "login",
    "logout",
    "sessions",
    "user",
    "group",
    "import",
    "upload",
    "download",
    "search",
    "obj",
    "delete",
    "chgrp",
    "chown",
    "fs",
    "load",
    "version",
)
"""Groups and commands as ``omero --help`` lists them."""


def module_of(group: str, command: str) -> str:
    """Full name of the module behind a command."""
    name = command.replace("-", "_")
    if keyword.iskeyword(name):
        name += "_"
    return f"omeroadmin.cli.commands.{group}.{name}"

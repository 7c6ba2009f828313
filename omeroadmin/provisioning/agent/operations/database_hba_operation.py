"""``database-hba``: who may connect to the host's PostgreSQL: a block of lines at the head of its pg_hba.conf."""

from __future__ import annotations

import os
import re
import stat
import time
from typing import Any

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish
from omeroadmin.provisioning.agent.files import read_whole, write_whole
from omeroadmin.provisioning.agent.postgresql import ask, tell, unasked

_QUERY = """
SELECT json_build_object('path', current_setting('hba_file'), 'loaded', extract(epoch FROM pg_conf_load_time()))
"""
_FAULTS = """
SELECT coalesce(json_agg(json_build_array(line_number, error) ORDER BY line_number), '[]')
FROM pg_hba_file_rules WHERE error IS NOT NULL
"""
_RELOAD = 20.0
"""Seconds in which the server reads the file."""
_SECRET = re.compile(r"((?:ldapbindpasswd|radiussecrets)=)(\"[^\"]*\"|\S+)", re.IGNORECASE)


def facts(wish: Wish) -> Facts:
    """Where the file is, the lines of the block, and whether the server has read the file since it was written."""
    answer = ask(wish, _QUERY)
    if answer is None:
        return {"server": False}
    content = read_whole(answer["path"])
    if content is None:
        raise HostError("host-file-not-read", f"{answer['path']}, which PostgreSQL names as its hba_file, is not there")
    text = content.decode("utf-8", "surrogateescape")
    block, first = _split(text, wish["block"])[:2]
    found: Facts = {"server": True, "path": answer["path"]}
    found["block"] = None if block is None else [_shown(line) for line in block]
    lines = _lines(wish)
    found["same"] = block == lines if lines else block is None
    found["first"] = first
    found["stale"] = os.stat(answer["path"]).st_mtime > answer["loaded"]
    return found


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Write the block before all other rules, because the first that fits counts; then have the server read it."""
    if not facts["server"]:
        words = unasked(f"write rules of {wish['block']} into pg_hba.conf")
        return [Change("write", words, "", _text(_lines(wish)))] if wish["lines"] else []
    if not facts["same"] or (wish["lines"] and not facts["first"]):
        before = _text(facts["block"] or [])
        return [Change("write", f"write rules of {wish['block']} into {facts['path']}", before, _text(_lines(wish)))]
    if facts["stale"]:
        return [Change("reload", f"have PostgreSQL read {facts['path']}")]
    return []


def apply(wish: Wish, change: Change) -> Undo | None:
    """Write the block, let PostgreSQL check the file, and reload; what it can't read isn't left there."""
    if change.action == "reload":
        _reload(wish, _path(wish, change))
        return None
    path = _path(wish, change)
    before = (read_whole(path) or b"").decode("utf-8", "surrogateescape")
    block = _split(before, wish["block"])[0]
    _write(wish, path, before, _lines(wish))
    faults = ask(wish, _FAULTS)
    if faults:
        _put(path, before)
        _reload(wish, path)
        line, words = faults[0]
        raise HostError(
            "host-hba-invalid", f"PostgreSQL can't read line {line} of the new {path}: {words}; it is as it was"
        )
    _reload(wish, path)
    record: Undo = {key: wish[key] for key in ("port", "socket", "account", "block")}
    secret = any(_SECRET.search(line) for line in block or [])
    return None if secret else {**record, "path": path, "lines": block or []}


def _path(wish: Wish, change: Change) -> str:
    answer = ask(wish, _QUERY)
    if answer is None:
        raise HostError("host-database-missing", f"{change.words}: PostgreSQL doesn't answer", "start its service")
    return str(answer["path"])


def undo(record: Undo) -> str:
    """Write the earlier lines of the block."""
    path = record["path"]
    content = read_whole(path)
    if content is None:
        return f"left {path}: it is gone"
    _write(record, path, content.decode("utf-8", "surrogateescape"), record["lines"])
    _reload(record, path)
    return f"gave {path} its earlier rules of {record['block']} back"


def _lines(wish: Wish) -> list[str]:
    """The rules; an address alone is that of one host."""
    return [_with_bits(line.strip()) for line in wish["lines"]]


def _with_bits(line: str) -> str:
    words = line.split()
    if len(words) < 5 or not words[0].startswith("host") or "/" in words[3]:
        return line
    import ipaddress

    try:
        address = ipaddress.ip_address(words[3])
    except ValueError:
        return line
    if words[4][:1].isdigit():
        # A mask follows.
        return line
    return " ".join([*words[:3], f"{address}/{address.max_prefixlen}", *words[4:]])


def _marks(block: str) -> tuple[str, str]:
    return f"# BEGIN {block}: managed, don't change", f"# END {block}"


def _split(text: str, block: str) -> "tuple[list[str] | None, bool, list[str]]":
    """Lines of the block, whether no rule is before it, and all other lines."""
    begin, end = _marks(block)
    inside: "list[str] | None" = None
    others: list[str] = []
    first, within = True, False
    for line in text.splitlines():
        if line == begin:
            inside, within = [], True
            first = not any(other.strip() and not other.lstrip().startswith("#") for other in others)
        elif line == end and within:
            within = False
        elif within and inside is not None:
            inside.append(line)
        else:
            others.append(line)
    if within:
        raise HostError("host-block-unfinished", f"pg_hba.conf has {begin!r} without {end!r}", "put that line back")
    return inside, first, others


def _write(where: dict[str, Any], path: str, text: str, lines: list[str]) -> None:
    others = _split(text, where["block"])[2]
    begin, end = _marks(where["block"])
    head = [begin, *lines, end] if lines else []
    _put(path, "".join(f"{line}\n" for line in [*head, *others]))


def _put(path: str, text: str) -> None:
    mode = stat.S_IMODE(os.stat(path).st_mode)
    write_whole(path, text.encode("utf-8", "surrogateescape"), mode)


def _reload(where: Wish, path: str) -> None:
    """Have the file read, and wait until it has been."""
    tell(where, "SELECT pg_reload_conf()", "reload PostgreSQL")
    deadline = time.monotonic() + _RELOAD
    while (ask(where, _QUERY) or {"loaded": 0})["loaded"] < os.stat(path).st_mtime:
        if time.monotonic() > deadline:
            raise HostError("host-database-failed", f"PostgreSQL has not read {path} in {_RELOAD:g} seconds")
        time.sleep(0.05)


def _shown(line: str) -> str:
    return _SECRET.sub(r"\1********", line)


def _text(lines: list[str]) -> str:
    return "".join(f"{_shown(line)}\n" for line in lines)

"""``database-settings``: settings of the host's PostgreSQL, by ALTER SYSTEM."""

from __future__ import annotations

import time
from typing import Any, Iterable

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish
from omeroadmin.provisioning.agent.postgresql import ask, identifier, literal, tell, unasked

_QUERY = """
SELECT json_build_object(
  'written', (SELECT coalesce(json_object_agg(name, setting), '{{}}') FROM pg_file_settings
      WHERE sourcefile ~ 'postgresql[.]auto[.]conf$' AND name IN ({names})),
  'known', (SELECT coalesce(json_object_agg(name, context), '{{}}') FROM pg_settings WHERE name IN ({names})),
  'pending', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM pg_settings
      WHERE pending_restart AND ({all} OR name IN ({names}))),
  'loaded', extract(epoch FROM pg_conf_load_time()))
"""
_RELOAD = 20.0
"""Seconds in which the server reads its settings."""
_LISTS = frozenset(
    {
        "shared_preload_libraries", "session_preload_libraries", "local_preload_libraries", "search_path",
        "temp_tablespaces", "unix_socket_directories",
    }
)  # fmt: skip
"""Settings of several names, each of which is quoted by itself."""


def facts(wish: Wish) -> Facts:
    """What ALTER SYSTEM has set of the wished settings, and which of them, or of all, wait for a restart."""
    answer = _ask(wish, _wanted(wish))
    if answer is None:
        return {"server": False}
    del answer["loaded"]
    return {"server": True, **answer}


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Set what differs; say what waits for a restart, so that a trigger can make one."""
    wanted = _wanted(wish)
    if not facts["server"]:
        if not wish["set"]:
            return []
        return [Change("set", unasked(f"set {', '.join(sorted(wish['set']))}"), "", _lines(wish["set"]))]
    # A setting with a dot belongs to an extension that may be loaded after a restart only.
    unknown = sorted(name for name in wanted if name not in facts["known"] and "." not in name)
    if unknown:
        raise HostError("host-setting-unknown", f"this PostgreSQL has no setting {', '.join(unknown)}")
    different = sorted(name for name, value in wanted.items() if not _same(name, facts["written"].get(name), value))
    if not different:
        pending = ", ".join(facts["pending"])
        return [Change("pending", f"PostgreSQL must be restarted for {pending}")] if pending else []
    restart = [name for name in different if facts["known"].get(name) == "postmaster"]
    words = f"set {', '.join(different)}" + (f" (after a restart: {', '.join(restart)})" if restart else "")
    before = {name: facts["written"][name] for name in different if name in facts["written"]}
    after = {name: wanted[name] for name in different if wanted[name] is not None}
    return [Change("set", words, _lines(before), _lines(after))]


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make the change and have the server read it; a restart is the trigger's."""
    if change.action == "pending":
        return None
    present = facts(wish)
    written = present.get("written", {})
    different = {name: value for name, value in _wanted(wish).items() if not _same(name, written.get(name), value)}
    _set(wish, different, change.words)
    record: Undo = {key: wish[key] for key in ("port", "socket", "account")}
    return {**record, "settings": {name: written.get(name) for name in different}}


def undo(record: Undo) -> str:
    """Set what was set before; what needs a restart has it with the next one."""
    names = ", ".join(sorted(record["settings"]))
    _set(record, record["settings"], f"set {names}")
    return f"gave PostgreSQL its earlier {names} back"


def _ask(where: dict[str, Any], names: Iterable[str]) -> Any:
    listed = ", ".join(literal(name) for name in names)
    return ask(where, _QUERY.format(names=listed or "''", all="false" if listed else "true"))


def _wanted(wish: Wish) -> dict[str, str | None]:
    wanted: dict[str, str | None] = {name: _text(value) for name, value in wish["set"].items()}
    wanted.update(dict.fromkeys(wish["remove"]))
    return wanted


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)


def _set(where: dict[str, Any], settings: dict[str, str | None], doing: str) -> None:
    statements = [_statement(name, value) for name, value in sorted(settings.items())]
    before = (_ask(where, settings) or {"loaded": 0})["loaded"]
    tell(where, ";\n".join([*statements, "SELECT pg_reload_conf()"]), doing)
    deadline = time.monotonic() + _RELOAD
    # What waits for a restart is known only when they have been read.
    while (_ask(where, settings) or {"loaded": before})["loaded"] == before:
        if time.monotonic() > deadline:
            raise HostError("host-database-failed", f"{doing}: PostgreSQL has not read it in {_RELOAD:g} seconds")
        time.sleep(0.05)


def _same(name: str, written: str | None, wanted: str | None) -> bool:
    if name in _LISTS and written is not None and wanted is not None:
        return _parts(written) == _parts(wanted)
    return written == wanted


def _parts(value: str) -> list[str]:
    return [part.strip().strip('"') for part in value.split(",")]


def _statement(name: str, value: str | None) -> str:
    quoted = identifier(name)
    if value is None:
        return f"ALTER SYSTEM RESET {quoted}"
    parts = _parts(value) if name in _LISTS else [value]
    return f"ALTER SYSTEM SET {quoted} = {', '.join(literal(part) for part in parts)}"


def _lines(settings: dict[str, Any]) -> str:
    return "".join(f"{name} = {_text(value)}\n" for name, value in sorted(settings.items()))

"""``database``: a database of the host's PostgreSQL."""

from __future__ import annotations

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish
from omeroadmin.provisioning.agent.postgresql import ask, identifier, literal, tell, unasked

_QUERY = """
SELECT coalesce((SELECT json_build_object('owner', r.rolname, 'encoding', pg_encoding_to_char(d.encoding))
  FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE d.datname = {name}), '{{}}')
"""
_EXTENSIONS = "SELECT coalesce(json_agg(extname), '[]') FROM pg_extension"
_CONTENTS = """
SELECT to_json(count(*)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""


def facts(wish: Wish) -> Facts:
    """Owner, encoding and extensions."""
    answer = ask(wish, _QUERY.format(name=literal(wish["name"])))
    if not answer:
        return {"server": answer is not None, "exists": False}
    extensions = ask(wish, _EXTENSIONS, wish["name"]) if wish["extensions"] else []
    return {"server": True, "exists": True, "extensions": extensions or [], **answer}


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Create it, or give it its owner and extensions; what holds data is neither dropped nor made anew."""
    name = wish["name"]
    if not facts["exists"]:
        words = f"create database {name} of {wish['owner']} with encoding {wish['encoding']}"
        return [Change("create", words if facts["server"] else unasked(words)), *_extension_changes(wish, [])]
    if facts["encoding"].upper() != wish["encoding"].upper():
        raise HostError(
            "host-database-encoding",
            f"database {name} has encoding {facts['encoding']}, not {wish['encoding']}, and that can't be changed",
            "make another database, or dump, drop, and restore this one",
        )
    changes = []
    if facts["owner"] != wish["owner"]:
        words = f"change owner of database {name}"
        changes.append(Change("own", words, facts["owner"] + "\n", wish["owner"] + "\n"))
    return changes + _extension_changes(wish, facts["extensions"])


def _extension_changes(wish: Wish, present: list[str]) -> list[Change]:
    missing = [extension for extension in wish["extensions"] if extension not in present]
    return [Change(f"extend {name}", f"create extension {name} in database {wish['name']}") for name in missing]


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    name, quoted, owner = wish["name"], identifier(wish["name"]), identifier(wish["owner"])
    present = facts(wish)
    record: Undo = {"name": name, **{key: wish[key] for key in ("port", "socket", "account")}}
    if change.action == "create":
        locale = f" LOCALE {literal(wish['locale'])}" if wish["locale"] else ""
        options = f"OWNER {owner} ENCODING {literal(wish['encoding'])} TEMPLATE {identifier(wish['template'])}{locale}"
        tell(wish, f"CREATE DATABASE {quoted} {options}", change.words)
        return {**record, "drop": True}
    if change.action == "own":
        tell(wish, f"ALTER DATABASE {quoted} OWNER TO {owner}", change.words)
        return {**record, "owner": present["owner"]}
    extension = change.action[len("extend ") :]
    tell(wish, f"CREATE EXTENSION IF NOT EXISTS {identifier(extension)}", change.words, name)
    return {**record, "extension": extension}


def undo(record: Undo) -> str:
    """Take a change back; a database that holds something by now stays."""
    name, quoted = record["name"], identifier(record["name"])
    if "owner" in record:
        tell(record, f"ALTER DATABASE {quoted} OWNER TO {identifier(record['owner'])}", f"change database {name}")
        return f"gave database {name} back to {record['owner']}"
    try:
        if "extension" in record:
            extension = record["extension"]
            tell(record, f"DROP EXTENSION IF EXISTS {identifier(extension)}", f"drop extension {extension}", name)
            return f"dropped extension {extension} of database {name}"
        if ask(record, _CONTENTS, name) != 0:
            return f"kept database {name}: it is not empty"
        tell(record, f"DROP DATABASE IF EXISTS {quoted}", f"drop database {name}")
    except HostError as error:
        return f"kept database {name}: {error.message}"
    return f"dropped database {name}"

"""``database-role``: a role of the host's PostgreSQL."""

from __future__ import annotations

from typing import Any

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish
from omeroadmin.provisioning.agent.postgresql import ask, identifier, literal, tell, unasked
from omeroadmin.provisioning.agent.scram import make_verifier, verifies

_FLAGS = ("login", "superuser", "createdb", "createrole", "replication")
_QUERY = """
SELECT json_build_object(
  'role', (SELECT json_build_object('login', rolcanlogin, 'superuser', rolsuper, 'createdb', rolcreatedb,
      'createrole', rolcreaterole, 'replication', rolreplication, 'connection_limit', rolconnlimit,
      'password', rolpassword) FROM pg_authid WHERE rolname = {name}),
  'member_of', (SELECT coalesce(json_agg(g.rolname ORDER BY g.rolname), '[]') FROM pg_auth_members m
      JOIN pg_authid g ON g.oid = m.roleid JOIN pg_authid r ON r.oid = m.member WHERE r.rolname = {name}))
"""


def facts(wish: Wish) -> Facts:
    """Attributes of the role, and whether its password is the wished one."""
    answer = ask(wish, _QUERY.format(name=literal(wish["name"])))
    if answer is None:
        return {"server": False}
    role = answer["role"]
    if role is None:
        return {"server": True, "exists": False}
    verifier = role.pop("password") or ""
    same = not wish["password"] or verifies(wish["password"], verifier)
    return {"server": True, "exists": True, "password_same": same, "member_of": answer["member_of"], **role}


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Create it, or give it its attributes, password and memberships."""
    name = wish["name"]
    if not facts["server"]:
        return [Change("create", unasked(f"create role {name}"))] if wish["state"] == "present" else []
    if wish["state"] == "absent":
        return [Change("drop", f"drop role {name}")] if facts["exists"] else []
    if not facts["exists"]:
        return [Change("create", f"create role {name}", "", _described(wish, wish["member_of"]))]
    changes = []
    if any(facts[key] != value for key, value in _attributes(wish).items()):
        changes.append(Change("alter", f"change role {name}", _described(facts, []), _described(wish, [])))
    if not facts["password_same"]:
        changes.append(Change("password", f"change the password of role {name}"))
    missing = [group for group in wish["member_of"] if group not in facts["member_of"]]
    return changes + [Change(f"grant {group}", f"make role {name} a member of {group}") for group in missing]


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change; of a password the server is told the verifier only."""
    name, quoted = wish["name"], identifier(wish["name"])
    present = facts(wish)
    record: Undo = {"name": name, **{key: wish[key] for key in ("port", "socket", "account")}}
    if change.action == "create" and not present.get("exists"):
        groups = "".join(f";\nGRANT {identifier(group)} TO {quoted}" for group in wish["member_of"])
        tell(wish, f"BEGIN;\nCREATE ROLE {quoted} {_options(wish)}{_password(wish)}{groups};\nCOMMIT", change.words)
        return {**record, "drop": True}
    if change.action == "drop":
        tell(wish, f"DROP ROLE {quoted}", change.words)
        return None
    if change.action == "password":
        tell(wish, f"ALTER ROLE {quoted}{_password(wish)}", change.words)
        return None
    if change.action == "alter":
        tell(wish, f"ALTER ROLE {quoted} {_options(wish)}", change.words)
        return {**record, "attributes": {key: present[key] for key in _attributes(wish)}}
    if change.action.startswith("grant "):
        group = change.action[len("grant ") :]
        tell(wish, f"GRANT {identifier(group)} TO {quoted}", change.words)
        return {**record, "revoke": group}
    return None


def undo(record: Undo) -> str:
    """Take a change back; a role that owns something by now stays."""
    name, quoted = record["name"], identifier(record["name"])
    if "attributes" in record:
        tell(record, f"ALTER ROLE {quoted} {_options(record['attributes'])}", f"change role {name}")
        return f"gave role {name} its attributes back"
    if "revoke" in record:
        tell(record, f"REVOKE {identifier(record['revoke'])} FROM {quoted}", f"change role {name}")
        return f"role {name} is no member of {record['revoke']} any more"
    try:
        tell(record, f"DROP ROLE IF EXISTS {quoted}", f"drop role {name}")
    except HostError as error:
        return f"kept role {name}: {error.message}"
    return f"dropped role {name}"


def _attributes(wish: dict[str, Any]) -> dict[str, Any]:
    return {**{flag: wish[flag] for flag in _FLAGS}, "connection_limit": wish["connection_limit"]}


def _options(wish: dict[str, Any]) -> str:
    words = [flag.upper() if wish[flag] else f"NO{flag.upper()}" for flag in _FLAGS]
    return " ".join([*words, f"CONNECTION LIMIT {int(wish['connection_limit'])}"])


def _password(wish: Wish) -> str:
    return f" PASSWORD {literal(make_verifier(wish['password']))}" if wish["password"] else ""


def _described(wish: dict[str, Any], groups: list[str]) -> str:
    return "".join(f"{line}\n" for line in [_options(wish).lower(), *(f"member of {group}" for group in groups)])

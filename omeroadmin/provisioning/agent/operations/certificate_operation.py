"""``certificate``: a certificate and its key, self-signed and renewed in time, or as an authority has issued them."""

from __future__ import annotations

import contextlib
import os
import socket
import time

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish, system_failure
from omeroadmin.provisioning.agent.files import describe_path, read_whole, temporary_name, write_whole
from omeroadmin.provisioning.agent.kept import keep_copy, take_copy
from omeroadmin.provisioning.agent.openssl import make_certificate, make_key, public_key, read_certificate
from omeroadmin.provisioning.agent.ownership import attribute_changes, give

_DAY = 86400


def facts(wish: Wish) -> Facts:
    """When the certificate ends, for which names it is, and whether the key is its own."""
    path, key = wish["path"], wish["key_path"]
    found = {**describe_path(key), "not_after": 0, "names": [], "self_signed": False, "fits": False, "due": False}
    found["wished_names"] = wish["names"] or [socket.getfqdn()]
    found["certificate"] = os.path.isfile(path)
    if wish["content"]:
        found["same"] = read_whole(path) == wish["content"].encode()
        found["same_key"] = read_whole(key) == wish["key_content"].encode()
        return found
    certificate = read_certificate(path) if found["certificate"] else None
    if certificate is not None:
        found["not_after"], found["names"] = certificate.not_after, certificate.names
        found["self_signed"] = certificate.is_self_signed
        found["fits"] = found["exists"] and public_key(key) == certificate.public
        found["due"] = certificate.not_after - time.time() < wish["renew_days"] * _DAY
    return found


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Put the pair of an authority in place, or make one; what an authority has issued is never written over."""
    path, key, changes = wish["path"], wish["key_path"], []
    if wish["content"]:
        if not (facts["same"] and facts["same_key"]):
            changes.append(Change("place", f"write the certificate {path} and its key"))
    elif facts["not_after"] and not facts["self_signed"] and not facts["exists"]:
        hint = "put its key there, or move the certificate away"
        raise HostError("host-certificate-without-key", f"{path} is of an authority, and there is no {key}", hint)
    else:
        if not facts["exists"]:
            changes.append(Change("key", f"make the private key {key}"))
        why = _why(facts)
        if why:
            changes.append(Change("sign", f"make the certificate {path} for {', '.join(facts['wished_names'])}: {why}"))
    if facts["exists"] and not (changes and changes[0].action == "place"):
        changes += attribute_changes(_key_wish(wish), facts)
    return changes


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    path, key = wish["path"], wish["key_path"]
    try:
        if change.action in {"own", "mode"}:
            give(key, wish["owner"], wish["group"], wish["key_mode"])
            return None
        if change.action == "key":
            return _make_key(wish)
        record: Undo = {"path": path, "copy": keep_copy(path) if os.path.isfile(path) else None}
        if change.action == "place":
            record["key"], record["key_was"] = key, os.path.lexists(key)
            _place(wish)
        else:
            _sign(wish)
        return record
    except OSError as error:
        raise system_failure("written", error.filename or path, error) from error


def undo(record: Undo) -> str:
    """Take a change back. No copy of a key is kept: one that was replaced stays, and so does its certificate."""
    if record.get("key") and record["key_was"]:
        return f"left {record['path']}: no copy is kept of its earlier key"
    for path in filter(None, (record.get("key"), record["path"] if not record.get("copy") else None)):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    if record.get("copy"):
        write_whole(record["path"], take_copy(record["copy"]), 0o644)
        return f"wrote {record['path']} as it was"
    return f"removed {record['path']}"


def _why(facts: Facts) -> str:
    if not facts["certificate"]:
        return "there is none"
    if facts["not_after"] and not facts["self_signed"]:
        return ""
    end = time.strftime("%Y-%m-%d", time.gmtime(facts["not_after"]))
    reasons = (
        (not facts["not_after"], "the present one can't be read"),
        (not facts["fits"], "the present one is not of this key"),
        (set(facts["names"]) != set(facts["wished_names"]), f"the present one is for {', '.join(facts['names'])}"),
        (facts["due"], f"the present one ends on {end}"),
    )
    return next((words for applies, words in reasons if applies), "")


def _key_wish(wish: Wish) -> Wish:
    return {"path": wish["key_path"], "owner": wish["owner"], "group": wish["group"], "mode": wish["key_mode"]}


def _make_key(wish: Wish) -> Undo:
    key = wish["key_path"]
    temporary = temporary_name(key)
    os.makedirs(os.path.dirname(key), mode=0o755, exist_ok=True)
    try:
        make_key(temporary)
        give(temporary, wish["owner"], wish["group"], wish["key_mode"])
        os.replace(temporary, key)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    return {"path": key, "copy": None}


def _sign(wish: Wish) -> None:
    content = make_certificate(wish["key_path"], wish["names"] or [socket.getfqdn()], wish["days"])
    os.makedirs(os.path.dirname(wish["path"]), mode=0o755, exist_ok=True)
    write_whole(wish["path"], content.encode(), 0o644)


def _place(wish: Wish) -> None:
    """Write key and certificate, after they have been found to fit.

    :raises HostError: ``host-certificate-invalid``
    """
    path, key = wish["path"], wish["key_path"]
    trials = (temporary_name(path) + ".pem", temporary_name(key) + ".pem")
    for directory in {os.path.dirname(path), os.path.dirname(key)}:
        os.makedirs(directory, mode=0o755, exist_ok=True)
    try:
        write_whole(trials[0], wish["content"].encode(), 0o600)
        write_whole(trials[1], wish["key_content"].encode(), 0o600)
        certificate, public = read_certificate(trials[0]), public_key(trials[1])
    finally:
        for trial in trials:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(trial)
    if certificate is None or not public:
        what = "certificate" if certificate is None else "key"
        raise HostError(
            "host-certificate-invalid", f"the {what} for {path} can't be read", "it must be PEM, without a password"
        )
    if certificate.public != public:
        raise HostError(
            "host-certificate-invalid", f"the key for {path} is not the certificate's", "take the pair of it"
        )
    if certificate.not_after < time.time():
        raise HostError("host-certificate-invalid", f"the certificate for {path} has ended", "have it renewed")
    write_whole(key, wish["key_content"].encode(), int(wish["key_mode"], 8), wish["owner"], wish["group"])
    write_whole(path, wish["content"].encode(), 0o644)

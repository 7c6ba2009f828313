"""``command``: a program that is run where its result isn't there yet."""

from __future__ import annotations

import os
import shlex

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish
from omeroadmin.provisioning.agent.running import Done, run

_CHECK = 60.0
"""Seconds that a check takes at most."""


def facts(wish: Wish) -> Facts:
    """Whether what it creates is there, and what its checks say: ``None`` where there are none to make."""
    return {
        "created": os.path.lexists(wish["creates"]) if wish["creates"] else None,
        "unless": _succeeds(wish, wish["unless"]),
        "only_if": _succeeds(wish, wish["only_if"]),
    }


def _succeeds(wish: Wish, arguments: list[str]) -> bool | None:
    """What a check says. One that can't be run, as an earlier operation brings it, has not succeeded."""
    if not arguments:
        return None
    try:
        return _run(wish, arguments, min(wish["timeout"], _CHECK), "").status == 0
    except HostError as failure:
        if failure.code in {"host-program-missing", "host-user-unknown"}:
            return False
        raise


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Run it, unless its result is there or a check says otherwise."""
    if facts["created"] or facts["unless"] or facts["only_if"] is False:
        return []
    by = f" as {wish['user']}" if wish["user"] else ""
    return [Change("run", f"run {_words(wish['arguments'])}{by}")]


def apply(wish: Wish, change: Change) -> Undo | None:  # noqa: ARG001 - every operation takes both
    """Run it, and look for what it creates."""
    done = _run(wish, wish["arguments"], wish["timeout"], wish["input"])
    if done.status != 0:
        raise HostError(
            "host-command-failed",
            f"{_words(wish['arguments'])} ended with {done.status}: {_hidden(wish, done.last_words())}",
        )
    if wish["creates"] and not os.path.lexists(wish["creates"]):
        raise HostError(
            "host-command-without-result", f"{_words(wish['arguments'])} succeeded, but didn't make {wish['creates']}"
        )
    if not wish["undo"]:
        return None
    return {name: wish[name] for name in ("undo", "user", "directory", "environment", "timeout")}


def undo(record: Undo) -> str:
    """Run what takes it back, without secrets: none are kept."""
    done = _run({**record, "secret_environment": {}}, record["undo"], record["timeout"], "")
    if done.status != 0:
        raise HostError(
            "host-command-failed", f"{_words(record['undo'])} ended with {done.status}: {done.last_words()}"
        )
    return f"ran {_words(record['undo'])}"


def _run(wish: Wish, arguments: list[str], timeout: float, text: str) -> Done:
    environment = {name: str(value) for name, value in {**wish["environment"], **wish["secret_environment"]}.items()}
    return run(
        [str(word) for word in arguments],
        timeout=timeout,
        user=wish["user"],
        environment=environment,
        input_text=text,
        directory=wish["directory"],
    )


def _words(arguments: list[str]) -> str:
    return shlex.join(str(word) for word in arguments).replace("\n", " ")


def _hidden(wish: Wish, words: str) -> str:
    """What a program said, without the secrets that it was given."""
    for secret in (*wish["secret_environment"].values(), *wish["input"].splitlines()):
        if len(str(secret)) > 3:
            words = words.replace(str(secret), "********")
    return words

"""How an operation of the API is declared, once: its route, validation and description are made from this.

A module of routes has its handlers, and below them a tuple ``OPERATIONS``; ``routes.py`` lists these modules.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call
from omeroadmin.schema.forms import Form

Handler = Callable[[Call], Response | Awaitable[Response]]
"""Runs in a thread; one that is ``async`` runs in the event loop and must not wait there."""

_IN_PATH = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Bytes:
    """A body that isn't JSON, streamed in constant memory.

    As the body of a request it is ``call.stream``, and the handler is ``async``.

    :param parts: whether the header ``Range`` may ask for a part of an answer
    """

    media_type: str = "application/octet-stream"
    parts: bool = False


@dataclass(frozen=True)
class Parameter:
    """A parameter of the query. Whether it is in the path is told by the operation's path.

    :param form: of its value; what a handler finds is of this form. An array is given as ``name=a&name=b``
    :param summary: what it means, one sentence
    :param needed: whether it must be given; else a handler finds the form's ``default``, or ``None``
    """

    name: str
    form: Form
    summary: str = ""
    needed: bool = False


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    :param id: its name for programs, e.g. ``listImages``; unique
    :param path: below ``/api/v0``, with parameters in braces: ``/images/{id}``
    :param summary: what it does, one sentence for people
    :param answer: form of the JSON document that comes back; ``None``: nothing comes back, status 204
    :param parameters: of query and path; one of the path that isn't listed is an id
    :param body: form of the JSON document that is sent; ``None``: none
    :param status: of success; another than that of the answer's kind
    :param errors: codes of the failures that are this operation's own, each of them in ``failures.STATUSES``; those
        that follow from the rest of the declaration need no mention (:attr:`codes`)
    :param session: whether it needs a session
    :param writes: whether it changes anything that a read-only server must not; ``None``: all but GET do
    :param stores: whether it makes or changes files in the binary repository
    """

    id: str
    method: str
    path: str
    handler: Handler
    summary: str
    answer: Form | Bytes | None = None
    parameters: tuple[Parameter, ...] = ()
    body: Form | Bytes | None = None
    status: int = 0
    errors: tuple[str, ...] = ()
    session: bool = True
    writes: bool | None = None
    stores: bool = False

    @property
    def success(self) -> int:
        """Status of success."""
        return self.status or (204 if self.answer is None else 200)

    @property
    def changes(self) -> bool:
        """Whether it writes."""
        return self.method != "GET" if self.writes is None else self.writes

    @property
    def in_path(self) -> tuple[str, ...]:
        """Names of the parameters in the path."""
        return tuple(_IN_PATH.findall(self.path))

    @property
    def in_query(self) -> tuple[Parameter, ...]:
        """Parameters of the query."""
        return tuple(parameter for parameter in self.parameters if parameter.name not in self.in_path)

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes of failures, those of every operation of this kind first."""
        common = ["request-invalid", "database-unavailable", "out-of-memory"]
        if self.changes:
            common.append("changed-meanwhile")
        if self.session:
            common += ["session-expired", "permission-denied"]
        if self.in_path:
            common.append("not-found")
        if self.body is not None:
            common.append("body-too-large")
        if self.changes:
            common.append("read-only")
        return tuple(dict.fromkeys([*common, *self.errors]))

    def form_of(self, name: str) -> Form:
        """Form of a parameter of the path."""
        listed: dict[str, Form] = {parameter.name: parameter.form for parameter in self.parameters}
        return listed.get(name, _ID)


_HIGHEST_ID = 2**63 - 1
_ID: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": _HIGHEST_ID}

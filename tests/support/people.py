"""Users and groups for tests of a running server, made through its API."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from tests.support.liveserver import Answer, Api, LiveServer

PASSWORD = "a long password"


@dataclass
class Person:
    """A user and a client logged in as it."""

    id: int
    name: str
    api: Api

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """A request as this user."""
        return self.api.call(method, path, body)

    def about(self) -> dict[str, Any]:
        """What the server says of this user."""
        document: dict[str, Any] = self.call("GET", f"/users/{self.id}").document
        return document


class People:
    """Makes users and groups as root.

    :param server: a server that runs
    """

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.root = Person(0, "root", server.tls().login())

    def group(self, permissions: str = "rw----") -> int:
        """A new group.

        :return: its id
        """
        made = self.root.call("POST", "/groups", {"name": f"group-{secrets.token_hex(4)}", "permissions": permissions})
        assert made.status == 201, made
        return int(made.document["id"])

    def user(self, *groups: int, owner: bool = False, **more: Any) -> Person:
        """A new user, logged in.

        :param owner: of all its groups
        """
        made = self.root.call("POST", "/users", self.wish(*groups, **more))
        assert made.status == 201, made
        number = made.document["id"]
        if owner:
            for group in groups:
                body = {"users": [number], "as_owner": True}
                assert self.root.call("POST", f"/groups/{group}/members", body).status == 200
        return Person(number, made.document["name"], self.server.tls().login(made.document["name"], PASSWORD))

    def admin(self, *privileges: str) -> Person:
        """A new administrator with just some privileges."""
        return self.user(self.group(), admin=True, privileges=list(privileges))

    def wish(self, *groups: int, **more: Any) -> dict[str, Any]:
        """A document that creates a user."""
        name = f"user-{secrets.token_hex(4)}"
        return {
            "name": name, "first_name": "Ada", "last_name": "Lovelace", "groups": list(groups or [self.group()]),
            "password": PASSWORD, **more,
        }  # fmt: skip

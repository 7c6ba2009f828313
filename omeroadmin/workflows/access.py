"""Logs in and out and finds the session that a command is to use: instance, session store and server together."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.access.address import (
    DEFAULT_HOST,
    DEFAULT_PORTS,
    Address,
    Target,
    is_loopback,
    parse_target,
)
from omeroadmin.access.client import ANSWER_TIMEOUT, Client
from omeroadmin.access.session import Session, checked_key
from omeroadmin.access.store import SessionStore, StoredSession
from omeroadmin.access.trust import Trust
from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings


@dataclass(frozen=True)
class Wish:
    """What the user said about server and session.

    :param target: server, port and user as far as they were named
    :param server: gives the server as typed when it is needed and wasn't named; takes the likely one
    :param again: whether to ask for the password once more after it was wrong
    :param key: session key to join, or empty
    :param ca_file: file of authorities to trust instead of the instance's and the system's
    :param group: to work in, name or id; empty: the session's own or the user's default
    :param sudo: whose password opens a session for the user, or empty
    :param idle_ms: milliseconds without a request after which the session ends; ``None``: the server's own
    :param create: open a new session even where a stored one could be used
    :param verify: refuse a port without TLS
    :param user: gives the user's name when it is needed and wasn't named; takes the likely one
    :param password: gives the password for a user and a server when it is needed; raises ``password-missing``
    """

    target: Target
    user: Callable[[str], str]
    password: Callable[[str, Address], str]
    key: str = field(default="", repr=False)
    ca_file: Path | None = None
    group: str = ""
    sudo: str = ""
    idle_ms: int | None = None
    create: bool = False
    verify: bool = False
    server: Callable[[str], str] = str
    again: Callable[[AdminError], bool] = lambda _: False


@dataclass(frozen=True)
class Place:
    """Where a user works.

    :param store: the stored sessions
    :param instance: the instance that ``OMERODIR`` names, if it is set and configured
    :param account: name of the user of this machine
    """

    store: SessionStore
    instance: Instance | None
    account: str


@dataclass(frozen=True)
class Login:
    """A session that commands use from now on.

    :param action: ``Created``, ``Using`` or ``Joined``
    """

    action: str
    address: Address
    session: Session


def resolve_address(target: Target, instance: Instance | None) -> Address:
    """The server that is meant; on this machine the instance's ports are the default.

    :raises AdminError: what reading the instance's configuration raises
    """
    host = target.host or DEFAULT_HOST
    tls = target.tls is not False
    if target.port is not None:
        return Address(host, target.port, tls, target.path)
    settings = _settings(instance) if is_loopback(host) else None
    if settings is not None:
        return Address(host, settings.port(target.transport), tls, target.path)
    return Address(host, DEFAULT_PORTS[target.transport], tls, target.path)


def trust_for(address: Address, ca_file: Path | None, instance: Instance | None) -> Trust:
    """Whose certificates count: the named file's alone, else the instance's, and the system's for other machines.

    :raises AdminError: what reading the instance's configuration raises
    """
    if ca_file is not None:
        return Trust(ca_file, system=False)
    settings = _settings(instance) if address.tls else None
    if settings is None:
        return Trust()
    directory, name = settings.text("omero.glacier2.IceSSL.DefaultDir"), settings.text("omero.glacier2.IceSSL.CAs")
    file = Path(directory) / name
    if not directory or not name or not os.access(file, os.R_OK):
        return Trust()
    return Trust(file, system=not is_loopback(address.host))


def login(place: Place, wish: Wish) -> Login:
    """Open a session, or use a stored one of this server, user and group, and store it.

    :raises AdminError: ``authentication-failed``, ``password-needs-tls``, ``tls-missing``, ``session-expired``,
        ``permission-denied``, what the password's source raises, and what :meth:`Client.get` raises
    """
    if wish.key:
        return _join(place, wish)
    if not wish.create:
        reused = _reuse(place, wish)
        if reused is not None:
            return reused
    wish = _with_server(place, wish)
    address = resolve_address(wish.target, place.instance)
    user = wish.target.user or wish.user(_last_user(place, address) or place.account)
    with client_for(place, wish, address) as client:
        session = _open(client, wish, user)
    _keep(place, address, session)
    return Login("Created", address, session)


def connect(place: Place, wish: Wish) -> tuple[Client, Session]:
    """A client with a session: the key's, the stored one used last that fits, or a new one where a password is at hand.

    A stored session that its server doesn't know any more is removed.

    :return: the client, to be closed by the caller, and its session
    :raises AdminError: ``not-logged-in``, ``session-expired`` and what :func:`login` raises
    """
    if wish.key:
        return _with_key(place, wish, resolve_address(wish.target, place.instance), wish.key)
    stored = None if wish.create else stored_for(place, wish)
    if stored is None:
        return _with_password(place, wish, not_logged_in())
    try:
        return _with_key(place, wish, stored.address, stored.key)
    except AdminError as error:
        if error.code != "session-expired":
            raise
        place.store.remove(stored)
        target = Target(stored.address.host, stored.address.port, stored.user, stored.address.tls, stored.address.path)
        return _with_password(place, dataclasses.replace(wish, target=target), error)


def _join(place: Place, wish: Wish) -> Login:
    address = resolve_address(wish.target, place.instance)
    with client_for(place, wish, address, checked_key(wish.key)) as client:
        session = _adjusted(client, client.current_session(), wish)
    _keep(place, address, session)
    return Login("Joined", address, session)


def _reuse(place: Place, wish: Wish) -> Login | None:
    """A stored session that does what is wished, if there is one."""
    address = resolve_address(wish.target, place.instance)
    exact = (
        wish.target
        if wish.target.host is None
        else Target(address.host, address.port, wish.target.user, address.tls, address.path)
    )
    narrow = dataclasses.replace(wish, target=exact)
    stored = place.store.find(lambda session: fits(session, narrow) and wish.group in ("", session.group))
    if stored is None or (session := usable_session(place, stored, wish)) is None:
        return None
    place.store.use(stored)
    if wish.idle_ms is not None:
        with client_for(place, wish, stored.address, stored.key) as client:
            session = _adjusted(client, session, wish)
    return Login("Using", stored.address, session)


def _adjusted(client: Client, session: Session, wish: Wish) -> Session:
    """An existing session with the group and the timeout that are wished."""
    wanted: dict[str, str | int] = {}
    if wish.group and wish.group not in (session.group, str(session.group_id)):
        wanted["group"] = wish.group
    if wish.idle_ms is not None and wish.idle_ms != session.time_to_idle_ms:
        wanted["time_to_idle_ms"] = wish.idle_ms
    return client.change_session(**wanted) if wanted else session


def _open(client: Client, wish: Wish, user: str) -> Session:
    wanted: dict[str, str | int] = {}
    if wish.group:
        wanted["group"] = wish.group
    if wish.sudo:
        wanted["sudo"] = wish.sudo
    if wish.idle_ms is not None:
        wanted["time_to_idle_ms"] = wish.idle_ms
    while True:
        try:
            return client.open_session(user, wish.password(wish.sudo or user, client.address), **wanted)
        except AdminError as error:
            if error.code != "authentication-failed" or not wish.again(error):
                raise


def _with_server(place: Place, wish: Wish) -> Wish:
    """The wish with a server; who wasn't told one is asked."""
    if wish.target.host is not None:
        return wish
    likely = resolve_address(wish.target, place.instance)
    typed = wish.server(str(likely))
    if typed == str(likely):
        return wish
    target = parse_target(typed)
    return dataclasses.replace(
        wish,
        target=dataclasses.replace(target, user=target.user or wish.target.user, port=target.port or wish.target.port),
    )


def _keep(place: Place, address: Address, session: Session) -> None:
    place.store.add(StoredSession(address, session.user, session.group, session.key, sudoer=session.sudoer))


def client_for(
    place: Place, wish: Wish, address: Address, key: str = "", timeout: float = ANSWER_TIMEOUT, group: str = ""
) -> Client:
    """A client that trusts whom it should.

    :raises AdminError: ``tls-missing``
    """
    if wish.verify and not address.tls:
        raise configuration_error(
            "tls-missing",
            f"{address} has no TLS, so nothing proves that it is the server",
            "name its TLS port, usually 4064, or leave --verify out",
        )
    return Client(
        address, trust=trust_for(address, wish.ca_file, place.instance), key=key, timeout=timeout, group=group
    )


def usable_session(
    place: Place, stored: StoredSession, wish: Wish, *, timeout: float = ANSWER_TIMEOUT, purge: bool = True
) -> Session | None:
    """The session behind a stored one; ``None`` where the server doesn't know it any more.

    :param timeout: seconds
    :param purge: whether a session that isn't known any more is removed from the store
    :raises AdminError: what :meth:`Client.get` raises
    """
    with client_for(place, wish, stored.address, stored.key, timeout) as client:
        try:
            return client.current_session()
        except AdminError as error:
            if error.code != "session-expired":
                raise
    if purge:
        place.store.remove(stored)
    return None


def _with_key(place: Place, wish: Wish, address: Address, key: str) -> tuple[Client, Session]:
    client = client_for(place, wish, address, key, group=wish.group)
    with contextlib.ExitStack() as undo:
        undo.callback(client.close)
        session = client.current_session()
        undo.pop_all()
    return client, session


def _with_password(place: Place, wish: Wish, otherwise: AdminError) -> tuple[Client, Session]:
    try:
        done = login(place, dataclasses.replace(wish, create=True))
    except AdminError as error:
        raise (otherwise if error.code == "password-missing" else error) from None
    return _with_key(place, wish, done.address, done.session.key)


def stored_for(place: Place, wish: Wish) -> StoredSession | None:
    """The stored session that a command uses; where neither user nor port is named, none but the last user's."""
    named = wish.target.user is not None or wish.target.port is not None or bool(wish.sudo)
    if named:
        return place.store.find(lambda session: fits(session, wish))
    return place.store.current(lambda session: fits(session, wish), wish.target.host)


def fits(session: StoredSession, wish: Wish) -> bool:
    """Whether a stored session is one of those that were meant; its group is another matter."""
    address, target = session.address, wish.target
    return (
        target.host in (None, address.host)
        and target.port in (None, address.port)
        and target.user in (None, session.user)
        and target.tls in (None, address.tls)
        and target.path in ("", address.path)
        and wish.sudo in ("", session.sudoer)
    )


def _last_user(place: Place, address: Address) -> str:
    last = place.store.find(lambda session: session.address.host == address.host)
    return "" if last is None else last.user


def _settings(instance: Instance | None) -> Settings | None:
    """The instance's settings; ``None`` without one, before it is configured, and where this user mayn't read them."""
    if instance is None or not os.access(instance.config_xml, os.R_OK):
        return None
    from omeroadmin.profiles.store import load_settings

    return load_settings(instance)


def not_logged_in() -> AdminError:
    """There is no session, and nobody to ask for a password."""
    return configuration_error(
        "not-logged-in", "there is no session to use, and no password was given", "log in first: omero login"
    )

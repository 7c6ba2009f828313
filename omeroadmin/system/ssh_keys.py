"""Logging in with keys: those that are named, those of ssh-agent, the usual files. Nothing is ever asked for."""

from __future__ import annotations

import contextlib
import getpass
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.system.clock import monotonic
from omeroadmin.system.ssh_route import Route, home

if TYPE_CHECKING:
    from paramiko import PKey, Transport

_USUAL = ("id_ed25519", "id_ecdsa", "id_rsa")


class Login:
    """Offers keys until one is taken; what :class:`paramiko.SSHClient` takes for its ``auth_strategy``.

    :param name: the other side, for messages
    :param address: the same, for a command
    """

    def __init__(self, name: str, route: Route, address: str) -> None:
        self._name = name
        self._address = address
        self._route = route
        self._offered: list[str] = []
        self._locked: list[Path] = []
        self._faults: list[str] = []

    def authenticate(self, transport: Transport) -> list[str]:
        """Log in.

        :raises AdminError: ``ssh-refused``, ``ssh-key-locked``
        :raises paramiko.SSHException: if the connection ends, or the other side is silent
        """
        import paramiko

        deadline = monotonic() + self._route.timeout
        with contextlib.closing(self._keys()) as keys:
            for name, key in keys:
                self._offered.append(name)
                try:
                    transport.auth_publickey(self._route.user, key)
                except paramiko.BadAuthenticationType as error:
                    raise self._refusal(f"it takes no keys, but {', '.join(error.allowed_types)}") from error
                except paramiko.AuthenticationException as error:
                    if monotonic() >= deadline:
                        raise paramiko.SSHException("it is silent about the login") from error
                except paramiko.SSHException:
                    # It hangs up after some wrong keys; the first of them are what the admin must know about.
                    break
                else:
                    if transport.is_authenticated():
                        return []
                    raise self._refusal("it wants more than a key")
        raise self._refusal("")

    def _keys(self) -> Generator[tuple[str, PKey], None, None]:
        named = self._route.keys
        for path in named:
            yield from self._from_file(path)
        wanted = {blob for path in named if (blob := _public_blob(path)) is not None}
        for name, key in _agent_keys():
            # A named key may be locked here and open there.
            if not self._route.only_keys or key.asbytes() in wanted:
                yield name, key
        if not named and not self._route.only_keys:
            for usual in _USUAL:
                yield from self._from_file(home() / ".ssh" / usual)

    def _from_file(self, path: Path) -> Iterator[tuple[str, PKey]]:
        import paramiko

        try:
            yield str(path), paramiko.PKey.from_path(str(path))
        except FileNotFoundError:
            if self._route.only_keys and _public_blob(path) is None:
                self._faults.append(f"{path} is missing")
        except (TypeError, paramiko.PasswordRequiredException):
            self._locked.append(path)
        except (OSError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
            self._faults.append(f"{path} can't be read: {getattr(error, 'strerror', None) or 'it is no private key'}")

    def _refusal(self, why: str) -> AdminError:
        if self._locked and not why:
            path = self._locked[0]
            return configuration_error(
                "ssh-key-locked",
                f"{self._name}: the key {path} has a passphrase, and no ssh-agent holds it",
                f'eval "$(ssh-agent)"; ssh-add {path}',
            )
        faults = [*([why] if why else []), *self._faults]
        if self._offered:
            faults.append(f"tried {', '.join(self._offered)}")
        return configuration_error(
            "ssh-refused",
            f"{self._name} takes none of the keys of {getpass.getuser()}: {'; '.join(faults) or 'there are none'}",
            f"give it one: ssh-copy-id {self._address}",
        )


def _agent_keys() -> Iterator[tuple[str, PKey]]:
    import paramiko

    if not os.environ.get("SSH_AUTH_SOCK"):
        return
    try:
        agent = paramiko.Agent()
    except (paramiko.SSHException, OSError):
        return
    try:
        for key in agent.get_keys():
            yield f"{key.comment or key.get_name()} of ssh-agent", key
    finally:
        agent.close()


def _public_blob(path: Path) -> bytes | None:
    import base64

    public = path if path.suffix == ".pub" else Path(f"{path}.pub")
    try:
        return base64.b64decode(public.read_text(encoding="utf-8").split()[1])
    except (OSError, ValueError, IndexError):
        return None

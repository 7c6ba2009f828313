"""What seals a snapshot and what opens it: age recipients and identities, passphrases, read from texts and files."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, AdminWarning, configuration_error, printable, usage_error
from omeroadmin.system import files

PASSPHRASE = "passphrase"  # noqa: S105 - the word, not one
"""How a snapshot names the passphrase among what it is sealed to."""

_SEALED = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")
_IDENTITY = "AGE-SECRET-KEY-1"


@dataclass(frozen=True)
class Seal:
    """Who is to open a snapshot: each of the recipients, and whoever knows the passphrase.

    :param recipients: public keys as age writes them, ``age1…`` or ``ssh-ed25519 …``
    :param passphrase: empty: none
    """

    recipients: tuple[str, ...] = ()
    passphrase: str = field(default="", repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """What a snapshot says of itself."""
        return (*((PASSPHRASE,) if self.passphrase else ()), *self.recipients)


@dataclass(frozen=True)
class Keys:
    """What may open a snapshot.

    :param identities: private keys, parsed
    :param passphrase: empty: none
    """

    identities: tuple[Any, ...] = field(default=(), repr=False)
    passphrase: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.identities or self.passphrase)


NO_KEYS = Keys()
"""Nothing that is sealed can be opened."""


def read_seal(recipients: Sequence[str] = (), passphrase_file: Path | None = None) -> Seal | None:
    """The seal that options or properties ask for; ``None`` where they ask for none.

    :param recipients: each a public key, or a file with one in each line
    :raises AdminError: ``recipient-invalid``, ``recipients-missing``, ``passphrase-missing``, ``passphrase-exposed``,
        ``file-not-read``
    """
    if passphrase_file is not None and (why := files.exposure(passphrase_file)):
        raise configuration_error(
            "passphrase-exposed",
            f"{passphrase_file} is no secret: {why}",
            f"chmod 600 {shlex.quote(str(passphrase_file))}",
        )
    keys = tuple(dict.fromkeys(key for text in recipients for key in _public_keys(text)))
    passphrase = "" if passphrase_file is None else read_passphrase(passphrase_file)
    return Seal(keys, passphrase) if keys or passphrase else None


def read_keys(identity_files: Sequence[Path] = (), passphrase_file: Path | None = None) -> Keys:
    """The keys of files; a passphrase opens identity files that are sealed themselves as well.

    What others can read is used all the same, with a warning: a restore can't wait.

    :raises AdminError: ``identity-invalid``, ``identity-locked``, ``passphrase-missing``, ``file-not-read``
    """
    for path in (*identity_files, *([] if passphrase_file is None else [passphrase_file])):
        warn_if_exposed(path)
    passphrase = "" if passphrase_file is None else read_passphrase(passphrase_file)
    return Keys(tuple(one for path in identity_files for one in _identities(path, passphrase)), passphrase)


def warn_if_exposed(path: Path) -> None:
    """Say on stderr that others can read a file with a secret."""
    if why := files.exposure(path):
        words = f"{path} is no secret: {why} (chmod 600 {shlex.quote(str(path))})"
        warnings.warn(words, AdminWarning, stacklevel=2)


def read_passphrase(path: Path) -> str:
    """The passphrase in a file: its first line.

    :raises AdminError: ``passphrase-missing``, ``file-not-read``
    """
    passphrase = files.read_text(path).partition("\n")[0].strip("\r")
    if not passphrase.strip():
        raise configuration_error("passphrase-missing", f"{path} holds no passphrase", "write one line into it")
    return passphrase


def parse_recipient(text: str) -> Any:
    """A public key as pyrage has it.

    :raises AdminError: ``recipient-invalid``
    """
    import pyrage

    try:
        if text.startswith("ssh-"):
            return pyrage.ssh.Recipient.from_str(text)
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise usage_error(
            "recipient-invalid",
            f"{printable(text)!r} is no public key of age: {error}",
            "give an age1… key (age-keygen -y KEYFILE), an ssh-ed25519 or ssh-rsa key, or a file of such lines",
        ) from error


def _public_keys(text: str) -> Iterator[str]:
    text = text.strip()
    if text.startswith(_IDENTITY):
        # Not repeated in the message: it is a secret.
        raise usage_error(
            "recipient-invalid", "a private key was given where a public one is wanted", "age-keygen -y KEYFILE"
        )
    if text.startswith(("age1", "ssh-")):
        parse_recipient(text)
        yield text
        return
    path = Path(text)
    found = list(_lines(files.read_text(path)))
    if not found:
        raise configuration_error("recipients-missing", f"{path} holds no public key", "write one in each line")
    for line in found:
        if line.startswith(_IDENTITY):
            raise usage_error(
                "recipient-invalid", f"{path} holds a private key, not a public one", f"age-keygen -y {path}"
            )
        parse_recipient(line)
        yield line


def _identities(path: Path, passphrase: str) -> list[Any]:
    import pyrage

    content = files.read_named(path)
    if content.startswith(_SEALED):
        if not passphrase:
            raise configuration_error(
                "identity-locked", f"{path} is sealed with a passphrase", "add --passphrase-file FILE"
            )
        try:
            content = pyrage.passphrase.decrypt(content, passphrase)
        except pyrage.DecryptError as error:
            raise configuration_error(
                "identity-locked", f"the passphrase does not open {path}", "check the file of --passphrase-file"
            ) from error
    try:
        if b"PRIVATE KEY-----" in content[:64]:
            return [pyrage.ssh.Identity.from_buffer(content)]
        text = content.decode()
        found = [pyrage.x25519.Identity.from_str(line) for line in _lines(text)]
    except (pyrage.IdentityError, UnicodeDecodeError) as error:
        raise _invalid(path, str(error)) from error
    if not found:
        raise _invalid(path, "it is empty")
    return found


def _invalid(path: Path, why: str) -> AdminError:
    return configuration_error(
        "identity-invalid",
        f"{path} holds no private key that can be used: {why}",
        "give a file made by age-keygen, or an SSH key without a passphrase",
    )


def _lines(text: str) -> Iterable[str]:
    stripped = (line.strip() for line in text.splitlines())
    return (line for line in stripped if line and not line.startswith("#"))

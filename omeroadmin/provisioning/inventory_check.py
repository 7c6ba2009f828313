"""``hosts check``: whether an inventory and the files that it names are right; no host is asked."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.provisioning.inventory import Inventory
from omeroadmin.provisioning.inventory_faults import faults
from omeroadmin.provisioning.inventory_file import build, circles_of_jumps, read_tree
from omeroadmin.provisioning.inventory_secrets import secret_scalars
from omeroadmin.provisioning.secrets import SHORTEST, is_too_short
from omeroadmin.schema.tree import Node, scalars

_BY_GROUP = 0o070
_BY_OTHERS = 0o007
_WRITE = 0o022


class Severity(StrEnum):
    """How bad a finding is, the worst first."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    :param code: stable, as those of errors
    :param message: what is wrong, with file and line; no secret is in it
    :param hint: what to do
    """

    code: str
    severity: Severity
    message: str
    hint: str


@dataclass(frozen=True)
class InventoryReport:
    """What a check has found.

    :param host_count: how many there are; ``None`` where the file is too wrong to tell
    :param group_count: as ``host_count``
    :param findings: the worst first, else in the order of the file
    """

    path: Path
    host_count: int | None
    group_count: int | None
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        """How many findings are of a severity."""
        return sum(finding.severity is severity for finding in self.findings)


def check_inventory(path: Path, environment: Mapping[str, str]) -> InventoryReport:
    """Everything that is wrong with an inventory, its keys and the files of its secrets.

    :param environment: variables for ``!env``
    :raises AdminError: ``inventory-missing``, ``file-not-read``
    """
    missing: list[AdminError] = []
    try:
        tree = read_tree(path, environment, missing=missing)
    except AdminError as error:
        # What stands in the file is a matter of the report; that there is no file to read isn't.
        if error.exit_status is not ExitStatus.USAGE:
            raise
        return InventoryReport(path, None, None, (_error(error),))
    wrong = list(faults(tree))
    findings = [_error(error) for error in (*missing, *wrong)]
    findings += [*_own_mode(path), *_secret_files(tree, path.parent), *_secret_values(tree)]
    if wrong:
        return InventoryReport(path, None, None, _sorted(findings))
    inventory = build(tree, path)
    findings += [_error(error) for error in circles_of_jumps(inventory)]
    findings += [*_keys(inventory), *_idle(inventory), *_same_addresses(inventory)]
    return InventoryReport(path, len(inventory.hosts), len(inventory.groups), _sorted(findings))


def _sorted(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: list(Severity).index(finding.severity)))


def _error(error: AdminError) -> Finding:
    return Finding(error.code, Severity.ERROR, error.message, error.hint)


def _own_mode(path: Path) -> Iterator[Finding]:
    mode = _mode(path)
    if mode is not None and mode & _WRITE:
        yield Finding(
            "inventory-writable",
            _severity(mode, _WRITE),
            f"{path} has mode {mode:04o}: who changes it sends commands to all hosts",
            f"chmod go-w {shlex.quote(str(path))}",
        )


def _secret_files(tree: Node, directory: Path) -> Iterator[Finding]:
    for scalar in scalars(tree):
        mode = _mode(directory / scalar.named) if scalar.tag == "!file" and not scalar.missing else None
        if mode is not None and mode & (_BY_GROUP | _BY_OTHERS):
            file = directory / scalar.named
            yield Finding(
                "secret-file-open",
                _severity(mode, _BY_GROUP | _BY_OTHERS),
                f"{scalar.origin}: the secret in {file} has mode {mode:04o}, so others than its owner can read it",
                f"chmod 600 {shlex.quote(str(file))}",
            )


def _secret_values(tree: Node) -> Iterator[Finding]:
    for scalar in scalars(tree):
        if scalar.is_secret and not scalar.missing and not scalar.text:
            yield Finding(
                "secret-empty", Severity.WARNING, f"{scalar.origin}: there is nothing in {scalar.named}",
                "write the secret into it",
            )  # fmt: skip
    for scalar in secret_scalars(tree):
        if not scalar.is_secret:
            yield Finding(
                "secret-in-the-open", Severity.WARNING, f"{scalar.origin}: a password or the like stands in the file",
                "name a file of mode 0600 or a variable: !file PATH, or !env NAME",
            )  # fmt: skip
        if is_too_short(scalar.text):
            yield Finding(
                "secret-short", Severity.WARNING,
                f"{scalar.origin}: a secret of fewer than {SHORTEST} characters isn't hidden in what hosts print",
                "take a longer one",
            )  # fmt: skip


def _keys(inventory: Inventory) -> Iterator[Finding]:
    users: dict[str, list[str]] = {}
    origins: dict[str, str] = {}
    for host in inventory.hosts:
        for key in host.connection.keys:
            users.setdefault(key, []).append(host.name)
            origins.setdefault(key, host.origin)
    for key, names in users.items():
        file = Path(key).expanduser() if key.startswith("~/") else Path(key)
        mode, place = _mode(file), f"{origins[key]}: the key {file}, of {', '.join(names)},"
        if mode is None:
            yield Finding(
                "key-file-missing", Severity.ERROR, f"{place} can't be found", f"ls -l {shlex.quote(str(file))}"
            )
        elif mode & (_BY_GROUP | _BY_OTHERS):
            yield Finding(
                "key-file-open",
                Severity.ERROR,
                f"{place} has mode {mode:04o}, which ssh refuses",
                f"chmod 600 {shlex.quote(str(file))}",
            )


def _idle(inventory: Inventory) -> Iterator[Finding]:
    """What is there and has no effect."""
    for group in inventory.groups:
        if not group.members:
            yield Finding(
                "group-without-hosts", Severity.WARNING, f"{group.origin}: the group {group.name} has no hosts",
                "name hosts or groups in it, or take it out",
            )  # fmt: skip
    jumps = {host.connection.jump for host in inventory.hosts}
    for host in inventory.hosts:
        if inventory.groups and not host.groups and host.name not in jumps:
            yield Finding(
                "host-without-group", Severity.WARNING, f"{host.origin}: the host {host.name} is in no group",
                "put it into the groups whose playbooks it should get",
            )  # fmt: skip


def _same_addresses(inventory: Inventory) -> Iterator[Finding]:
    first: dict[tuple[str, int | None, str | None], str] = {}
    for host in inventory.hosts:
        connection = host.connection
        place = (connection.address.lower(), connection.port, connection.jump)
        other = first.setdefault(place, host.name)
        if other != host.name:
            yield Finding(
                "address-twice", Severity.WARNING, f"{host.origin}: {host.name} has the address of {other}",
                "one host under two names waits for itself; give it both groups under one name",
            )  # fmt: skip


def _mode(file: Path) -> int | None:
    """Permission bits of a file; ``None`` where it is none, or can't be looked at."""
    try:
        return file.stat().st_mode & 0o7777 if file.is_file() else None
    except (OSError, ValueError):
        return None


def _severity(mode: int, bits: int) -> Severity:
    """A group may be those who are meant to; all others never are."""
    return Severity.ERROR if mode & bits & _BY_OTHERS else Severity.WARNING

"""What a roll-out is for: playbooks, hosts, tags and values as they were typed, and what they come to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError, usage_error
from omeroadmin.provisioning.inventory import HERE, Become, Connection, Inventory, InventoryGroup, InventoryHost
from omeroadmin.provisioning.inventory_file import read_inventory
from omeroadmin.provisioning.inventory_shape import VARIABLE
from omeroadmin.provisioning.patterns import ALL
from omeroadmin.provisioning.playbook import Playbook
from omeroadmin.provisioning.playbook_reader import find_playbook, read_playbooks, require_once
from omeroadmin.provisioning.rollout_host import HostRollout
from omeroadmin.provisioning.secrets import Redactor
from omeroadmin.provisioning.variables import check_known, given_values, require_values, secret_values, warn_of_slips
from omeroadmin.provisioning.wishes import Selection, WishMaker, about_groups
from omeroadmin.schema.shapes import nearest
from omeroadmin.schema.tree import MapNode, Node, scalars
from omeroadmin.system.yaml_reader import Elsewhere, read_yaml, read_yaml_file


@dataclass(frozen=True)
class RolloutChoice:
    """What was asked for; a saved plan keeps it.

    :param playbooks: as typed
    :param inventory: ``None``: this machine alone
    :param local: whether everything is done on this machine
    :param limit: pattern; empty: all hosts
    :param tags: only operations with one of these; empty: all
    :param skipped: no operations with one of these
    :param variables: file with values
    :param settings: ``NAME=VALUE`` as typed
    :param become: instead of what the inventory says: ``sudo`` or ``none``
    """

    playbooks: tuple[str, ...]
    inventory: Path | None
    local: bool = False
    limit: str = ""
    tags: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    variables: Path | None = None
    settings: tuple[str, ...] = ()
    become: Become | None = None


@dataclass(frozen=True)
class Scope:
    """What a choice comes to.

    :param hosts: those that any of the playbooks is for, in the order of the inventory
    :param absent: playbooks that no host is there for
    """

    playbooks: tuple[Playbook, ...]
    inventory: Inventory
    hosts: tuple[HostRollout, ...]
    absent: tuple[str, ...] = ()


def read_scope(choice: RolloutChoice, environment: Mapping[str, str]) -> Scope:
    """Read playbooks, inventory and values, and find out who is meant. Nobody is connected to.

    :param environment: variables for ``!env``
    :raises AdminError: for whatever is wrong in the files or with the choice
    """
    playbooks = require_once(
        [book for name in choice.playbooks for book in read_playbooks(find_playbook(name), environment)]
    )
    selection = _selection(choice, playbooks)
    inventory = read_hosts(choice.inventory, playbooks, environment, local=choice.local, limit=choice.limit)
    from_file = _values_of(choice.variables, environment)
    from_line = dict(_setting(text, environment) for text in choice.settings)
    check_known(from_line, playbooks)
    wanted, absent = _wanted(playbooks, inventory, choice)
    values = {
        (host.name, book.name): _given(book, host, from_file, from_line)
        for book in playbooks
        for host in inventory.hosts
        if host.name in wanted[book.name]
    }
    warn_of_slips([node for host in inventory.hosts for node in host.variables.items()], playbooks)
    warn_of_slips(from_file.items(), playbooks)
    nodes = (*from_file.values(), *from_line.values())
    named = {book.name: book for book in playbooks}
    secrets = inventory.secrets.union(
        (one.text for node in nodes for one in scalars(node) if one.is_secret),
        *(book.secrets for book in playbooks),
        *(secret_values(named[name], given) for (_, name), given in values.items()),
    )
    groups = about_groups({group.name: inventory.members(group.name) for group in (*inventory.groups, _ALL)})
    makers = [WishMaker(book, selection, groups, secrets) for book in playbooks]
    redactor = Redactor(secrets)
    hosts = []
    for host in inventory.hosts:
        own = [(maker, values.get((host.name, maker.playbook.name))) for maker in makers]
        known = [(maker, given) for maker, given in own if given is not None]
        if known:
            hosts.append(HostRollout(host, known, redactor))
    return Scope(playbooks, inventory, tuple(hosts), absent)


def _given(book: Playbook, host: InventoryHost, *more: Mapping[str, Node]) -> dict[str, Any]:
    given = given_values(book, host.variables, *more)
    require_values(book, host.name, given)
    return given


_ALL = InventoryGroup(ALL, "", (), (), ())


def read_hosts(
    path: Path | None,
    playbooks: Sequence[Playbook],
    environment: Mapping[str, str],
    *,
    local: bool,
    limit: str,
) -> Inventory:
    """The hosts of a file, or this machine.

    With ``local``, the one host of the file that the limit selects is this machine.

    :raises AdminError: ``local-ambiguous``, and those of the inventory
    """
    if path is None:
        return _this_machine(playbooks)
    inventory = read_inventory(path, environment)
    if local and len(inventory.select(limit or ALL)) != 1:
        raise usage_error(
            "local-ambiguous", f"{path} has several hosts, and one of them is this machine", "name it: --limit HOST"
        )
    return inventory


def _this_machine(playbooks: Sequence[Playbook]) -> Inventory:
    """One host that is in all groups that the playbooks name."""
    words = {word for book in playbooks for word in re.findall(r"[A-Za-z0-9][A-Za-z0-9._-]*", book.hosts)}
    groups = tuple(sorted(words - {ALL, HERE}))
    host = InventoryHost(HERE, "--local", groups, Connection("127.0.0.1"), {})
    return Inventory(
        Path("--local"),
        (host,),
        tuple(InventoryGroup(name, "--local", (HERE,), (), (HERE,)) for name in groups),
        frozenset(),
    )


def _selection(choice: RolloutChoice, playbooks: Sequence[Playbook]) -> Selection:
    known = tuple(sorted({tag for book in playbooks for tag in book.tags}))
    for tag in (*choice.tags, *choice.skipped):
        if tag not in known:
            near = nearest(tag, known)
            there = f"there are {', '.join(known)}" if known else "the playbooks have none"
            raise usage_error(
                "tag-unknown", f"no operation has the tag {tag!r}", f"did you mean {near}?" if near else there
            )
    return Selection(frozenset(choice.tags), frozenset(choice.skipped))


def _wanted(
    playbooks: Sequence[Playbook], inventory: Inventory, choice: RolloutChoice
) -> tuple[dict[str, frozenset[str]], tuple[str, ...]]:
    """Names of the hosts of each playbook, and the playbooks without any."""
    limited = {host.name for host in inventory.select(choice.limit or ALL)}
    found: dict[str, frozenset[str]] = {}
    for book in playbooks:
        found[book.name] = frozenset(_selected(book, inventory, alone=len(playbooks) == 1)) & limited
    if not any(found.values()):
        patterns = ", ".join(dict.fromkeys(book.hosts for book in playbooks))
        words = f"no host is there for {patterns}"
        if choice.limit:
            words = f"--limit {choice.limit!r} leaves none of the hosts of {patterns}"
        raise usage_error("hosts-none", words, "omero hosts graph shows who is where")
    return found, tuple(name for name, names in found.items() if not names)


def _selected(book: Playbook, inventory: Inventory, *, alone: bool) -> list[str]:
    try:
        return [host.name for host in inventory.select(book.hosts)]
    except AdminError as error:
        # A site need not have every kind of host that a list of playbooks is for.
        if error.code != "host-unknown":
            raise
        if alone:
            words = f"{book.path}: hosts: {error.message}"
            raise AdminError(error.code, words, hint=error.hint, exit_status=error.exit_status) from error
        return []


def _values_of(path: Path | None, environment: Mapping[str, str]) -> Mapping[str, Node]:
    if path is None:
        return {}
    tree = read_yaml_file(path, environment, hint="a line looks like this: name: value")
    if not isinstance(tree, MapNode):
        raise usage_error("value-invalid", f"{tree.origin}: the file is not a map of names and values")
    return tree.members


def _setting(text: str, environment: Mapping[str, str]) -> tuple[str, Node]:
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(VARIABLE, name):
        raise usage_error("setting-invalid", f"--set {text!r} is not NAME=VALUE", "for example: --set release=5.6.10")
    return name, read_yaml(value, f"--set {name}", Elsewhere(Path.cwd(), environment))

"""Wishes for a host: what playbooks come to with the facts and variables of one host. Pure but for template files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omeroadmin.errors import configuration_error, failed_error
from omeroadmin.provisioning.expressions import Context, Expressions
from omeroadmin.provisioning.inventory import InventoryHost
from omeroadmin.provisioning.operations.catalog import declarations
from omeroadmin.provisioning.operations.field import Declaration, FieldType
from omeroadmin.provisioning.playbook import Entry, Playbook, Stage
from omeroadmin.provisioning.playbook_entries import refine, rendered
from omeroadmin.provisioning.playbook_expressions import check_expressions
from omeroadmin.provisioning.secrets import Redactor
from omeroadmin.provisioning.sources import with_source
from omeroadmin.provisioning.variables import secret_values, with_defaults

Wish = dict[str, Any]


@dataclass(frozen=True)
class Selection:
    """Which operations are asked for.

    :param tags: operations with one of them; empty: all. Triggered operations are always among them
    :param skipped: without operations with one of these
    """

    tags: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()

    def takes(self, entry: Entry) -> bool:
        """Whether an operation is among them."""
        wanted = not self.tags or bool(entry.identifier) or not self.tags.isdisjoint(entry.tags)
        return wanted and self.skipped.isdisjoint(entry.tags)


@dataclass(frozen=True)
class StageWork:
    """What a host does in one round trip.

    :param stage: playbook and stage: ``server/packages``
    :param undo: whether a failure takes back what was changed in it and in earlier ones of this kind
    :param wishes: as the agent gets them
    :param words: names that the playbook gives them, by key
    """

    playbook: str
    stage: str
    undo: bool
    wishes: tuple[Wish, ...] = field(repr=False)
    words: Mapping[str, str]


@dataclass(frozen=True)
class HostWork:
    """All that a host shall be, in order.

    :param secrets: texts that must not be shown, of this host alone
    """

    stages: tuple[StageWork, ...]
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def wishes(self) -> list[Wish]:
        """The wishes of all stages."""
        return [wish for stage in self.stages for wish in stage.wishes]


class WishMaker:
    """Makes the wishes of one playbook for its hosts; what they have in common is made once.

    What agents may ask for while they apply, by digest, is in :attr:`offers`.

    :raises AdminError: for expressions that no host could make sense of, as :func:`check_expressions`
    :param groups: hosts of the groups, as ``hosts`` in expressions
    :param secrets: values that came by ``!file`` and ``!env``
    """

    def __init__(
        self, playbook: Playbook, selection: Selection, groups: Mapping[str, Any], secrets: Collection[str]
    ) -> None:
        self.playbook = playbook
        self.offers: dict[str, Path] = {}
        self._groups = groups
        self._secrets = frozenset(secrets) | playbook.secrets
        self._expressions = Expressions(playbook.path.parent)
        check_expressions(playbook, self._expressions)
        self._stages = [
            (stage, [entry for entry in stage.entries if selection.takes(entry)]) for stage in playbook.stages
        ]

    def make(self, host: InventoryHost, given: Mapping[str, Any], base: Mapping[str, Any]) -> HostWork:
        """Stages of wishes; those without any are left out.

        :param given: values of variables that aren't defaults
        :param base: facts of the host
        :raises AdminError: ``host-requirement``, ``value-invalid``, ``variable-unknown``, ``template-missing`` …
        """
        known = {"base": base, "host": _about(host), "hosts": self._groups}
        values = with_defaults(self.playbook, given, known, self._expressions)
        context = {**values, **known}
        for requirement in self.playbook.requirements:
            if not self._expressions.condition(requirement.that, context):
                hint = "what it is: omero hosts facts" if "base." in requirement.that.text else ""
                raise failed_error("host-requirement", requirement.message, hint)
        secrets = self._secrets | set(secret_values(self.playbook, values))
        redactor = Redactor(secrets)
        stages = [self._stage(stage, entries, context, redactor) for stage, entries in self._stages]
        return HostWork(tuple(stage for stage in stages if stage.wishes), secrets)

    def _stage(self, stage: Stage, entries: Sequence[Entry], context: Context, redactor: Redactor) -> StageWork:
        name = f"{self.playbook.name}/{stage.name}"
        wishes: list[Wish] = []
        words: dict[str, str] = {}
        if all(self._expressions.condition(condition, context) for condition in stage.conditions):
            for entry in entries:
                for key, inner in self._items(entry, f"{name}/{entry.number}", context):
                    if not all(self._expressions.condition(condition, inner) for condition in entry.conditions):
                        continue
                    wishes.append(self._wish(entry, key, inner, redactor))
                    if entry.words is not None:
                        words[key] = redactor.hide(str(self._expressions.value(entry.words, inner)))
        return StageWork(self.playbook.name, name, stage.undo, tuple(wishes), words)

    def _items(self, entry: Entry, key: str, context: Context) -> Iterator[tuple[str, Context]]:
        if entry.for_each is None:
            yield key, context
            return
        for number, item in enumerate(self._expressions.items(entry.for_each, context), 1):
            yield f"{key}/{number}", {**context, "item": item}

    def _wish(self, entry: Entry, key: str, context: Context, redactor: Redactor) -> Wish:
        declaration = declarations()[entry.kind]
        wish: Wish = {"key": key, "kind": entry.kind, **entry.constants}
        may_be_secret = False
        for name, node in entry.dynamic.items():
            declared = declaration.field(name)
            assert declared is not None  # noqa: S101 - the reader knows no others
            value = self._expressions.value(node, context)
            wish[name] = rendered(declared, value, node, f"{entry.kind}.{name}")
            may_be_secret = True
        if entry.dynamic:
            refine(declaration, wish, entry.origin)
        if entry.dynamic or self.playbook.secrets:
            _require_no_secret_argument(declaration, wish, entry, redactor)
        wish, has_files = self._with_files(declaration, wish, entry, context)
        may_be_secret |= has_files
        if "secret" in wish and not wish["secret"] and (may_be_secret or self.playbook.secrets):
            wish["secret"] = redactor.hide_data(wish) != wish
        wish["triggers"] = [f"{self.playbook.name}/{name}" for name in entry.triggers]
        wish["id"] = f"{self.playbook.name}/{entry.identifier}" if entry.identifier else ""
        wish["only_triggered"] = bool(entry.identifier)
        return wish

    def _with_files(self, declaration: Declaration, wish: Wish, entry: Entry, context: Context) -> tuple[Wish, bool]:
        """What templates make, and what must be known of other files of this machine.

        :return: the wish, and whether anything was read for it
        """
        read = False
        for local in (one.name for one in declaration.fields if one.type is FieldType.LOCAL_PATH):
            name, origin = wish[local], entry.origin
            if not name:
                continue
            read = True
            if local == "template":
                wish = {**wish, "content": self._expressions.file(name, context, origin), "template": ""}
                continue
            path = self._expressions.path_of(name, origin).absolute()
            wish = with_source(wish, path)
            if "digest" in wish:
                self.offers[wish["digest"]] = path
        return wish, read


def _require_no_secret_argument(declaration: Declaration, wish: Wish, entry: Entry, redactor: Redactor) -> None:
    """What programs are given as arguments, everybody on the host can read.

    :raises AdminError: ``secret-in-the-open``
    """
    for one in declaration.fields:
        if one.type is FieldType.TEXTS and not one.secret and redactor.hide_data(wish[one.name]) != wish[one.name]:
            raise configuration_error(
                "secret-in-the-open",
                f"{entry.origin}: {entry.kind}.{one.name} holds a secret, which everybody on the host could read",
                "give it to a program by secret_environment or input, or in a file",
            )


def _about(host: InventoryHost) -> dict[str, Any]:
    """``host`` in expressions."""
    return {"name": host.name, "address": host.connection.address, "groups": list(host.groups)}


def about_groups(members: Mapping[str, Sequence[InventoryHost]]) -> dict[str, list[dict[str, Any]]]:
    """``hosts`` in expressions: names and addresses of the hosts of each group."""
    return {
        group: [{"name": host.name, "address": host.connection.address} for host in hosts]
        for group, hosts in members.items()
    }

"""Hosts of which the same is to be said, said once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def alike(hosts: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    """Hosts in groups, each where its first one is.

    :param key: what is to be said of a host
    """
    groups: dict[Hashable, list[T]] = {}
    for host in hosts:
        groups.setdefault(key(host), []).append(host)
    return list(groups.values())


def names_of(hosts: Sequence[str]) -> str:
    """Names in front of what is said: ``web1, web2``; of many, how many they are as well."""
    names = ", ".join(hosts)
    return names if len(hosts) < 4 else f"{names} ({len(hosts)} hosts)"


def each(count: int, what: str, hosts: int) -> str:
    """``3 changes``, or ``3 changes each`` where several hosts have as many."""
    text = f"{count} {what}{'' if count == 1 else 's'}"
    return f"{text} each" if hosts > 1 else text

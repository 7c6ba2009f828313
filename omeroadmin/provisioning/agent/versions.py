"""Versions of Python packages, ordered and compared as PEP 440 says; in the words of the standard library."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_VERSION = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<kind>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre>\d*))?"
    r"(?:-(?P<post_alone>\d+)|[-_.]?(?P<is_post>post|rev|r)[-_.]?(?P<post>\d*))?"
    r"(?:[-_.]?(?P<is_dev>dev)[-_.]?(?P<dev>\d*))?"
    r"(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.IGNORECASE,
)
_KINDS = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_OPERATORS = re.compile(r"(===|~=|==|!=|<=|>=|<|>)\s*(\S+)")


class Version(NamedTuple):
    """A version in parts; ``key`` puts versions in order."""

    epoch: int
    release: "tuple[int, ...]"
    pre: "tuple[str, int] | None"
    post: "int | None"
    dev: "int | None"
    local: str

    @property
    def key(self) -> "tuple[Any, ...]":
        """What orders versions."""
        pre: Any = (1,) if self.pre is None else (0, *self.pre)
        if self.pre is None and self.post is None and self.dev is not None:
            pre = (-1,)
        parts = [part for part in re.split(r"[-_.]", self.local) if part]
        local = tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts)
        post = (-1 if self.post is None else self.post,)
        return (*self.base, pre, post, (1, 0) if self.dev is None else (0, self.dev), local)

    @property
    def base(self) -> "tuple[int, tuple[int, ...]]":
        """Epoch and release, without zeros at its end."""
        release = list(self.release)
        while len(release) > 1 and release[-1] == 0:
            release.pop()
        return self.epoch, tuple(release)

    @property
    def is_early(self) -> bool:
        """Whether it is a pre-release or a developers' one."""
        return self.pre is not None or self.dev is not None


def parse_version(text: str) -> "Version | None":
    """Parts of a version; ``None`` where it isn't one."""
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        return None
    kind, post, dev = (found["kind"] or "").lower(), None, None
    if found["post_alone"] or found["is_post"]:
        post = int(found["post_alone"] or found["post"] or 0)
    if found["is_dev"]:
        dev = int(found["dev"] or 0)
    return Version(
        int(found["epoch"] or 0),
        tuple(int(part) for part in found["release"].split(".")),
        (_KINDS.get(kind, kind), int(found["pre"] or 0)) if kind else None,
        post,
        dev,
        (found["local"] or "").lower(),
    )


def parse_specifiers(text: str) -> "list[tuple[str, str]] | None":
    """Operators and versions of ``>=1.0,<2``; ``None`` where it can't be read."""
    specifiers = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _OPERATORS.fullmatch(part)
        if found is None:
            return None
        operator, wished = found.groups()
        plain = wished[:-2] if wished.endswith(".*") and operator in {"==", "!="} else wished
        version = parse_version(plain)
        if operator != "===" and (version is None or (operator == "~=" and len(version.release) < 2)):
            return None
        specifiers.append((operator, wished))
    return specifiers


def satisfies(installed: str, specifiers: "list[tuple[str, str]]") -> bool:
    """Whether an installed version is one of those that are wished."""
    return all(_satisfies(installed, operator, wished) for operator, wished in specifiers)


def _satisfies(installed: str, operator: str, wished: str) -> bool:
    if operator == "===":
        return installed.lower() == wished.lower()
    present = parse_version(installed)
    if present is None:
        return False
    if operator in {"==", "!="}:
        return _matches(present, wished) == (operator == "==")
    limit = parse_version(wished)
    if limit is None:
        return False
    if operator == "~=":
        prefix = ".".join(str(part) for part in limit.release[:-1])
        return _public(present) >= limit.key and _matches(present, f"{limit.epoch}!{prefix}.*")
    if operator in {">=", "<="}:
        return _public(present) >= limit.key if operator == ">=" else _public(present) <= limit.key
    return _is_beyond(present, operator, limit)


def _is_beyond(present: Version, operator: str, limit: Version) -> bool:
    """``<`` and ``>``, which leave out what belongs to the very version that they name."""
    same = present.base == limit.base
    if operator == "<":
        return present.key < (limit if limit.is_early else limit._replace(dev=0)).key
    takes_posts = limit.post is not None or limit.dev is not None
    if same and not takes_posts and present.pre == limit.pre and present.post is not None:
        return False
    return _public(present) > limit.key


def _public(version: Version) -> "tuple[Any, ...]":
    return version._replace(local="").key


def _matches(present: Version, wished: str) -> bool:
    if wished.endswith(".*"):
        prefix = parse_version(wished[:-2])
        if prefix is None or prefix.epoch != present.epoch:
            return False
        length = len(prefix.release)
        padded = (*present.release, *[0] * length)[:length]
        return padded == prefix.release
    limit = parse_version(wished)
    if limit is None:
        return False
    return (present.key if limit.local else _public(present)) == limit.key

"""Which paths a profile names, and what is expected there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.profiles.lint.model import LintFacts

_ICE = "omero.glacier2.IceSSL"
_ICE_FILES = (f"{_ICE}.CertFile", f"{_ICE}.KeyFile", f"{_ICE}.CAs", "omero.certificates.key")
_WEB_LISTS = ("omero.web.template_dirs", "omero.web.staticfile_dirs")
_READ_ONLY = ("omero.cluster.read_only", "omero.cluster.read_only.repo")
_UNREADABLE = ("\0", "\n")


@dataclass(frozen=True)
class Place:
    """A path that a property names.

    :param is_directory: whether a directory is expected there; ``None``: either will do
    :param is_written: whether the server writes there
    :param is_of_web: whether only OMERO.web needs it
    :param may_be_made: whether the server makes it where it is missing
    """

    name: str
    path: Path
    is_directory: bool | None = True
    is_written: bool = True
    is_of_web: bool = False
    may_be_made: bool = False


def places(facts: LintFacts) -> tuple[Place, ...]:
    """All places that the profile names or that its server can't do without."""
    return (*_server_places(facts), *_file_places(facts), *_web_places(facts))


def _server_places(facts: LintFacts) -> Iterator[Place]:
    writes = not any(facts.flag(name) for name in _READ_ONLY)
    managed, memoizer, local = "omero.managed.dir", "omero.pixeldata.memoizer.dir", "omero.pixeldata.memoizer.dir.local"
    wanted = [
        ("omero.data.dir", True, writes, False),
        (managed, True, writes, managed not in facts.explicit),
        (memoizer, memoizer in facts.explicit, writes, False),
        (local, local in facts.explicit, True, False),
        ("omero.db.embedded.bindir", facts.flag("omero.db.embedded"), False, False),
    ]
    for name, counts, is_written, may_be_made in wanted:
        path = path_of(facts, facts.text(name)) if counts else None
        if path is not None:
            yield Place(name, path, is_written=is_written, may_be_made=may_be_made)


def _file_places(facts: LintFacts) -> Iterator[Place]:
    for name in ("omero.security.keyStore", "omero.security.trustStore"):
        path = path_of(facts, facts.text(name))
        if path is not None:
            yield Place(name, path, is_directory=False, is_written=False)
    for name in _ICE_FILES:
        path = ice_file(facts, name)
        if path is not None:
            kind = None if name.endswith(".CAs") else False
            yield Place(name, path, is_directory=kind, is_written=False)


def _web_places(facts: LintFacts) -> Iterator[Place]:
    for name in ("omero.web.static_root", "omero.web.logdir"):
        path = path_of(facts, facts.given(name)) if name in facts.explicit else None
        if path is not None:
            yield Place(name, path, is_of_web=True)
    for name in _WEB_LISTS:
        for text in _texts(facts.text(name)):
            path = path_of(facts, text)
            if path is not None:
                yield Place(name, path, is_written=False, is_of_web=True)


def ice_file(facts: LintFacts, name: str) -> Path | None:
    """The file that a property of IceSSL names; ``None`` where it names none, or several."""
    text = facts.text(name)
    if not text or ":" in text:
        return None
    return path_of(facts, f"{facts.text(f'{_ICE}.DefaultDir') or '.'}/{text}" if not text.startswith("/") else text)


def path_of(facts: LintFacts, text: str) -> Path | None:
    """A value as an absolute path; ``None`` where it isn't known what it stands for."""
    text = text.strip()
    if facts.omerodir is not None:
        text = text.replace("${OMERODIR}", str(facts.omerodir))
    if not text or "${" in text or text.startswith("~") or any(character in text for character in _UNREADABLE):
        return None
    path = Path(text)
    if path.is_absolute():
        return path
    return None if facts.omerodir is None else facts.omerodir / path


def _texts(text: str) -> list[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []

"""Which files the server has already."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omeroadmin.access.client import Client

_MOST = 500


def known_paths(client: Client, paths: Sequence[Path]) -> set[Path]:
    """Those paths that files of earlier imports came from.

    :raises AdminError: what :meth:`Client.get` raises
    """
    texts = _known(client, "/filesets/client-paths", "paths", "path", [str(path) for path in paths])
    return {Path(text) for text in texts}


def known_names(client: Client, names: Sequence[str]) -> set[str]:
    """Those names that files of earlier imports have.

    :raises AdminError: what :meth:`Client.get` raises
    """
    return _known(client, "/filesets/file-names", "names", "name", names)


def _known(client: Client, route: str, question: str, answer: str, texts: Sequence[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(texts), _MOST):
        document = client.post(route, {question: list(texts[start : start + _MOST])})
        known.update(str(item.get(answer)) for item in client.items(document, "known"))
    return known

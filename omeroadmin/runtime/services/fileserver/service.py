"""FileServer: tells other servers what is in the managed repository: names, sizes, times and checksums."""

from __future__ import annotations

import stat
from http import HTTPStatus
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.repository.checksums import hash_file, new_hasher
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.localserver import Refusal, Request, serving
from omeroadmin.system import files

_MOST_ENTRIES = 1000


def run(context: ServiceContext) -> int:
    """Answer until the server shall stop."""
    repository = Repository(context.settings.managed_repository)
    with serving(context.socket_path(), repository.answer):
        context.health.ready()
        context.stop.wait()
    return 0


class Repository:
    """Answers questions about files below a root.

    :param root: the managed repository
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def answer(self, request: Request) -> tuple[int, object]:
        """``GET /list``, ``/stat`` and ``/hash`` with ``path``, relative to the managed repository.

        ``/list`` goes on with ``after=NAME``; ``/hash`` takes ``algorithm``, SHA1-160 by default.
        """
        actions = {"/list": self._list, "/stat": self._stat, "/hash": self._hash}
        action = actions.get(request.path)
        if action is None or request.method != "GET":
            raise Refusal(HTTPStatus.NOT_FOUND, "not-found", f"there is no {request.method} {request.path}")
        try:
            path = files.inside(self._root, request.query.get("path", ""))
            # A symbolic link is how files are imported in place: it may lead out, a path may not.
            return HTTPStatus.OK, action(path, request)
        except AdminError as error:
            status = HTTPStatus.FORBIDDEN if error.code == "path-escapes" else HTTPStatus.UNPROCESSABLE_ENTITY
            raise Refusal(status, error.code, error.message) from error
        except (FileNotFoundError, NotADirectoryError):
            raise Refusal(HTTPStatus.NOT_FOUND, "file-missing", f"there is no {request.query.get('path')}") from None
        except OSError as error:
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "file-not-read", str(error.strerror)) from error

    def _list(self, path: Path, request: Request) -> object:
        after = request.query.get("after", "")
        names = sorted(entry.name for entry in path.iterdir() if entry.name > after)
        page = names[: min(max(request.number("limit", _MOST_ENTRIES), 1), _MOST_ENTRIES)]
        entries = [{"name": name, **_facts(path / name)} for name in page]
        return {"entries": entries, "next": page[-1] if len(page) < len(names) else None}

    def _stat(self, path: Path, _request: Request) -> object:
        path.stat()
        return _facts(path)

    def _hash(self, path: Path, request: Request) -> object:
        algorithm = request.query.get("algorithm", "SHA1-160")
        new_hasher(algorithm)
        if not stat.S_ISREG(path.stat().st_mode):
            raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "not-a-file", f"{request.query['path']} is not a file")
        return {"algorithm": algorithm, "hash": hash_file(path, algorithm)}


def _facts(path: Path) -> dict[str, object]:
    """What a file is; a link whose target is gone has the facts of the link."""
    try:
        status = path.stat()
    except FileNotFoundError:
        status = path.lstat()
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory"}
    return {
        "kind": kinds.get(stat.S_IFMT(status.st_mode), "other"),
        "size": status.st_size,
        "mtime": status.st_mtime_ns // 1_000_000,
    }

"""Users who import, rename, attach and delete without a pause, while something else is looked at."""

from __future__ import annotations

import contextlib
import hashlib
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pyvips

from tests.support.graph import Person, person
from tests.support.liveserver import LiveServer

_MOST = 12
"""Images that each user has before old ones go."""


@dataclass
class Busy:
    """What the users have done so far.

    :param done: number of operations by kind
    """

    done: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, kind: str) -> None:
        """One more."""
        with self._lock:
            self.done[kind] += 1


@contextlib.contextmanager
def busy_users(server: LiveServer, number: int) -> Iterator[Busy]:
    """Users at work for the length of the block; what fails for one of them is raised at its end."""
    busy, stop = Busy(), threading.Event()
    people = [person(server) for _ in range(number)]
    with ThreadPoolExecutor(number) as executor:
        work: list[Future[None]] = [
            executor.submit(_work, one, random.Random(seed), busy, stop) for seed, one in enumerate(people)
        ]
        try:
            yield busy
        finally:
            stop.set()
        for future in work:
            future.result()


def _work(one: Person, generator: random.Random, busy: Busy, stop: threading.Event) -> None:
    images: list[int] = []
    files: list[int] = []
    while not stop.is_set():
        images.append(_import(one, generator))
        busy.count("import")
        image = generator.choice(images)
        answer = one.api.call("PATCH", f"/objects/Image/{image}", {"fields": {"name": f"renamed {generator.random()}"}})
        assert answer.status == 200, answer
        busy.count("rename")
        files.append(_upload(one, generator))
        busy.count("upload")
        while len(images) > generator.randrange(_MOST):
            _delete(one, f"Image:{images.pop(generator.randrange(len(images)))}")
            busy.count("delete")
        if len(files) > generator.randrange(_MOST):
            _delete(one, f"OriginalFile:{files.pop(generator.randrange(len(files)))}")
            busy.count("delete")


def _delete(one: Person, target: str) -> None:
    answer = one.ask("delete", target)
    assert answer.status == 200, answer


def _import(one: Person, generator: random.Random) -> int:
    samples = np.frombuffer(generator.randbytes(64 * generator.randrange(16, 1024)), np.uint8).reshape(64, -1)
    content = bytes(pyvips.Image.new_from_array(samples).pngsave_buffer())
    done = one.api.import_files((f"/busy/{generator.randrange(1000)}.png", content))
    assert done.status == 201, done
    return int(done.document["images"][0]["id"])


def _upload(one: Person, generator: random.Random) -> int:
    content = generator.randbytes(generator.randrange(1, 100_000))
    begun = one.api.call("POST", "/uploads", {"name": "notes.bin", "size": len(content)})
    assert begun.status == 201, begun
    number = int(begun.document["id"])
    assert one.api.call("PUT", f"/uploads/{number}", content).status == 200
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    assert one.api.call("POST", f"/uploads/{number}/complete", {"hash": digest}).status == 201
    return number

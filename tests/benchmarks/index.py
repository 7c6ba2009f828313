"""Indexing beside the library's own raw indexing of the same documents, its memory, and how fast searches answer."""

from __future__ import annotations

import json
import os
import pickle
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omeroadmin.database.connection import connect
from omeroadmin.repository.fulltext import inspect_index, wipe_index
from tests.support.database import DatabaseUnderTest, running_database

_GOAL = 2.0
_LATENCY_GOAL = 0.1
_BATCH = 5000
_BUFFER = 64 << 20
_SEARCHES = 200
_WORDS = [
    "mitosis",
    "anaphase",
    "control",
    "treated",
    "washed",
    "fixed",
    "hela",
    "zebrafish",
    "embryo",
    "kidney",
    "section",
    "stained",
    "actin",
    "tubulin",
    "dapi",
    "stack",
    "overview",
    "tile",
    "plate",
    "well",
    "field",
    "channel",
    "lambda",
    "confocal",
    "spinning",
    "disk",
    "widefield",
    "deconvolved",
    "projection",
]

_TABLES = (
    """INSERT INTO image (id, name, description, series, permissions, creation_id, update_id, owner_id, group_id)
       SELECT n, format('%%s_%%s_%%s.ome.tif', w[1 + n %% 30], w[1 + n / 30 %% 30], n),
              concat_ws(' ', w[1 + n * 7 %% 30], w[1 + n * 11 %% 30], w[1 + n * 13 %% 30], w[1 + n * 17 %% 30],
                        w[1 + n * 19 %% 30], w[1 + n * 23 %% 30], 'slide', n / 40, 'position', n %% 40),
              0, -120, 0, 0, 0, 0
         FROM generate_series(1, %(count)s) n, (SELECT %(words)s::text[] AS w) given""",
    """INSERT INTO annotation (id, discriminator, textvalue, permissions, creation_id, update_id, owner_id, group_id)
       SELECT n, '/basic/text/tag/', format('%%s batch %%s', w[1 + n %% 30], n), -120, 0, 0, 0, 0
         FROM generate_series(1, 500) n, (SELECT %(words)s::text[] AS w) given""",
    """INSERT INTO annotation (id, discriminator, permissions, creation_id, update_id, owner_id, group_id)
       SELECT 1000 + n, '/map/', -120, 0, 0, 0, 0 FROM generate_series(1, %(count)s / 4) n""",
    """INSERT INTO annotation_mapvalue (annotation_id, name, value, index)
       SELECT 1000 + n, 'gene ' || k, format('%%s%%s', w[1 + (n + k) %% 30], n %% 997), k
         FROM generate_series(1, %(count)s / 4) n, generate_series(0, 3) k, (SELECT %(words)s::text[] AS w) given""",
    """INSERT INTO imageannotationlink (id, parent, child, permissions, creation_id, update_id, owner_id, group_id)
       SELECT n, n, 1 + n %% 500, -120, 0, 0, 0, 0 FROM generate_series(1, %(count)s) n WHERE n %% 2 = 0""",
    """INSERT INTO imageannotationlink (id, parent, child, permissions, creation_id, update_id, owner_id, group_id)
       SELECT %(count)s + n, n * 4, 1000 + n, -120, 0, 0, 0, 0 FROM generate_series(1, %(count)s / 4) n""",
    # Each image was changed three times after its import, as tags and renderings do.
    """INSERT INTO eventlog (id, action, entitytype, entityid, event, permissions)
       SELECT 1000 + (k * %(count)s) + n, CASE k WHEN 0 THEN 'INSERT' ELSE 'UPDATE' END, 'ome.model.core.Image',
              n, 0, -52 FROM generate_series(0, 3) k, generate_series(1, %(count)s) n""",
    "ANALYZE",
)


@dataclass(frozen=True)
class Run:
    """What a process took.

    :param seconds: of its work
    :param cpu: seconds of processor time, of all its threads
    :param memory: bytes at its largest
    """

    seconds: float
    cpu: float
    memory: int


def measure_index(directory: Path, rounds: int, *, objects: int) -> bool:
    """Measure and print the table.

    :param rounds: of each kind of indexing
    :param objects: images that are indexed
    :return: whether the goals are reached
    """
    if os.geteuid() == 0:
        print("indexing is not measured as root: PostgreSQL refuses to run so")
        return True
    with running_database(directory / "server") as database:
        _fill(database, objects)
        documents = directory / "documents"
        _gather(database, documents)
        runs: dict[str, list[Run]] = {}
        kinds: dict[str, Callable[[], Run]] = {
            "raw": lambda: _raw(documents, directory),
            "full": lambda: _ours(database, "full"),
            "events": lambda: _ours(database, "events"),
        }
        for number in range(rounds):
            for name in sorted(kinds, reverse=bool(number % 2)):
                runs.setdefault(name, []).append(kinds[name]())
        return _print(runs, objects, database)


def _fill(database: DatabaseUnderTest, objects: int) -> None:
    with connect(database.address) as connection:
        for statement in _TABLES:
            connection.execute(statement.encode(), {"count": objects, "words": _WORDS} if "%" in statement else None)


def _gather(database: DatabaseUnderTest, documents: Path) -> None:
    """The documents as the index gets them, for the library to index by itself."""
    from omeroadmin.runtime.services.indexer.documents import load_documents
    from omeroadmin.runtime.services.indexer.words import words_of

    with connect(database.address, autocommit=True) as connection, documents.open("wb") as stream:
        after = 0
        statement = b"SELECT id FROM image WHERE id > %s ORDER BY id LIMIT %s"
        while ids := [row[0] for row in connection.execute(statement, (after, _BATCH))]:
            batch = []
            for one in load_documents(connection, "Image", ids, most_files=10):
                parts = {part: " ".join(w for text in of for w in words_of(text)) for part, of in one.texts.items()}
                texts = {f"in_{part}": text for part, text in parts.items() if text}
                everything = " ".join(filter(None, parts.values()))
                texts |= {"key": one.key, "type": one.entity, "name": one.name, "words": everything}
                batch.append((texts, one.owner, one.group, one.created))
            pickle.dump(batch, stream)
            after = ids[-1]


def _ours(database: DatabaseUnderTest, what: str) -> Run:
    """The process of ``omero admin reindex``: reads the database, makes documents, indexes them."""
    wipe_index(database.settings.data_directory / "FullText")
    orders = {"settings": database.settings.explicit(), "what": what, "classes": [], "dry_run": False}
    return _run([sys.executable, "-m", "omeroadmin.runtime.services.indexer"], json.dumps(orders))


def _raw(documents: Path, directory: Path) -> Run:
    """The library alone, whose documents are in memory already; only its own time counts."""
    target = directory / "raw"
    target.mkdir(exist_ok=True)
    wipe_index(target)
    run = _run([sys.executable, "-m", "tests.benchmarks.index", os.fspath(documents), os.fspath(target)], "")
    return Run(float((target / "seconds").read_text()), float((target / "cpu").read_text()), run.memory)


def _run(arguments: list[str], given: str) -> Run:
    began = time.monotonic()
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(given.encode())
    process.stdin.close()
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or b'"error"' in output:
        raise AssertionError(f"{arguments} failed: {output[-500:].decode()}")
    return Run(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def raw_indexing(documents: Path, target: Path) -> None:
    """What the process of :func:`_raw` does."""
    import tantivy

    from omeroadmin.runtime.services.indexer.index import make_schema, register

    batches: list[list[tuple[dict[str, str], int, int, int]]] = []
    with documents.open("rb") as stream:
        while stream.peek(1):
            batches.append(pickle.load(stream))  # noqa: S301 - written by the parent
    began, began_cpu = time.monotonic(), time.process_time()
    index = tantivy.Index(make_schema(), path=os.fspath(target))
    register(index)
    writer = index.writer(heap_size=_BUFFER, num_threads=1)
    for batch in batches:
        for texts, owner, group, created in batch:
            document = tantivy.Document()
            for name, text in texts.items():
                document.add_text(name, text)
            document.add_unsigned("owner", owner)
            document.add_unsigned("group", group)
            document.add_integer("created", created)
            writer.add_document(document)
    writer.commit()
    (target / "seconds").write_text(str(time.monotonic() - began))
    (target / "cpu").write_text(str(time.process_time() - began_cpu))


def _print(runs: dict[str, list[Run]], objects: int, database: DatabaseUnderTest) -> bool:
    directory = database.settings.data_directory / "FullText"
    facts = inspect_index(directory)
    seconds = {name: statistics.median(run.seconds for run in of) for name, of in runs.items()}
    cpu = {name: statistics.median(run.cpu for run in of) for name, of in runs.items()}
    memory = {name: max(run.memory for run in of) / 2**20 for name, of in runs.items()}
    print(f"indexing {objects} objects ({facts.size / 2**20:.0f} MiB of index), beside the library's raw indexing")
    print(f"{'':<36}{'seconds':>10}{'objects/s':>12}{'ratio':>8}{'goal':>8}{'CPU s':>8}{'peak MiB':>10}")
    met = facts.documents == objects and not facts.problems
    for name, title in (
        ("raw", "library, documents in memory"),
        ("full", "reindex --full, from the database"),
        ("events", f"reindex --events, {4 * objects} events"),
    ):
        ratio = seconds[name] / seconds["raw"]
        goal = f"{_GOAL:>8.2f}" if name == "full" else f"{'':>8}"
        columns = (f"{seconds[name]:>10.2f}", f"{objects / seconds[name]:>12.0f}", f"{ratio:>8.2f}", goal)
        print(f"{title:<36}", *columns, f"{cpu[name]:>8.2f}{memory[name]:>10.0f}", sep="")
    met = met and seconds["full"] <= _GOAL * seconds["raw"]
    latencies = _latencies(directory, objects)
    for title, values in latencies.items():
        ordered = sorted(values)
        middle, high = statistics.median(ordered) * 1000, ordered[round(0.95 * (len(ordered) - 1))] * 1000
        print(f"{title:<36}{middle:>9.1f} ms median{high:>9.1f} ms 95 %")
        met = met and middle <= _LATENCY_GOAL * 1000
    return met


def _latencies(directory: Path, objects: int) -> dict[str, list[float]]:
    from omeroadmin.runtime.services.indexer.index import FullTextIndex, Reader, Wish

    index = FullTextIndex(directory, buffer_bytes=_BUFFER)
    chosen = random.Random(6)
    mine = Reader(0, (0,))
    wishes: dict[str, Callable[[], tuple[str, Any]]] = {
        "search for a number": lambda: (str(chosen.randrange(objects)), Wish(25)),
        "search for two words": lambda: (" ".join(chosen.sample(_WORDS, 2)), Wish(25)),
        "search for a beginning, in a group": lambda: (
            chosen.choice(_WORDS)[:4],
            Wish(25, mine, ("Image",)),
        ),
    }
    result: dict[str, list[float]] = {}
    for title, make in wishes.items():
        for _ in range(_SEARCHES):
            text, wish = make()
            began = time.monotonic()
            index.search(text, wish)
            result.setdefault(title, []).append(time.monotonic() - began)
    return result


if __name__ == "__main__":
    raw_indexing(Path(sys.argv[1]), Path(sys.argv[2]))

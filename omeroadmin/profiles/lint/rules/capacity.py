"""Numbers that don't fit together: threads, connections, memory, times."""

from __future__ import annotations

from collections.abc import Iterator

from omeroadmin.profiles.lint.model import Fault, LintFacts, Rule, Severity
from omeroadmin.profiles.lint.rules.servers import MASTER, counts
from omeroadmin.profiles.lint.rules.values import is_wrong
from omeroadmin.profiles.lint.wording import set_command
from omeroadmin.schema.catalog import find_setting

_POOL = "omero.db.poolsize"
_THREADS = "omero.threads.min_threads"
_OLD_THREADS = "omero.threads.max_threads"
_BACKGROUND = "omero.threads.background_threads"
_FILE_SIZE = "omero.search.max_file_size"
_INDEXER_HEAP = "omero.jvmcfg.heap_size.indexer"
_IDLE = "omero.sessions.timeout"
_EMBEDDED = "omero.db.embedded"
_USUAL_POOL = 50
_SPARE = 10
"""Connections that the superuser, backups and the toolkit need besides the servers' own."""
_MEBIBYTE = 1 << 20
_USUAL_SERVICES = ("blitz", "indexer", "pixeldata")
"""Those with a heap that a grid has as long as nothing else is said."""


def threads_and_pool(facts: LintFacts) -> Iterator[Fault]:
    """As many ``omero.threads.min_threads`` as ``omero.db.poolsize`` has connections, or more."""
    pool = facts.number(_POOL)
    if pool is None or pool < 1:
        return
    set_ones = [name for name in facts.explicit if name.startswith(f"{_THREADS}.") and find_setting(name) is not None]
    # The manual relates this one to the pool, although servers of today don't read it.
    old = [_OLD_THREADS] if _OLD_THREADS in facts.explicit else []
    found = {name: facts.number(name) or 0 for name in (_THREADS, *set_ones, *old)}
    many = {name: number for name, number in found.items() if number >= pool}
    if many:
        words = " and ".join(f"{name} is {number}" for name, number in many.items())
        problem = f"{words}, but the pool has only {pool} connections ({_POOL})"
        yield Fault((*many, _POOL), problem, set_command(facts, _POOL, str(_pool_for(max(many.values())))))


def _pool_for(threads: int) -> int:
    return max(_USUAL_POOL, threads + threads // 4 + 1)


def background_threads(facts: LintFacts) -> Iterator[Fault]:
    """``omero.threads.background_threads`` as high as ``omero.threads.min_threads``, or higher."""
    threads, background = facts.number(_THREADS), facts.number(_BACKGROUND)
    chosen = _THREADS in facts.explicit or _BACKGROUND in facts.explicit
    if chosen and threads is not None and background is not None and background >= threads > 1:
        problem = f"{_BACKGROUND} is {background}, and there are {threads} threads ({_THREADS})"
        yield Fault((_BACKGROUND, _THREADS), problem, set_command(facts, _BACKGROUND, str(max(1, threads // 2))))


def pool_unset(facts: LintFacts) -> Iterator[Fault]:
    """``omero.db.poolsize`` that isn't set on a server that people work with."""
    sign = production_sign(facts)
    if _POOL not in facts.explicit and sign:
        problem = f"{_POOL} isn't set, so there are {facts.text(_POOL)} connections, and {sign}"
        yield Fault((_POOL,), problem, set_command(facts, _POOL, str(_USUAL_POOL)))


def production_sign(facts: LintFacts) -> str:
    """Why a server is taken for one that people work with; empty where nothing speaks for it."""
    if not facts.flag(_EMBEDDED):
        return f"the database is a server of its own ({_EMBEDDED})"
    if facts.flag("omero.ldap.config"):
        return "users log in by LDAP (omero.ldap.config)"
    if counts(facts).get("Blitz", 0) > 1:
        return "there is more than one Blitz (omero.server.nodedescriptors)"
    return ""


def pool_and_postgresql(facts: LintFacts) -> Iterator[Fault]:
    """``omero.db.poolsize`` above what the instance's own PostgreSQL accepts."""
    pool = facts.number(_POOL)
    if pool is None or facts.connections is None:
        return
    blitz = max(1, counts(facts).get("Blitz", 1))
    room = facts.connections - _SPARE
    if pool * blitz > room:
        pools = f"{_POOL} is {pool}" + (f" for each of {blitz} Blitz" if blitz > 1 else "")
        problem = f"{pools}, but PostgreSQL accepts {facts.connections}, of which {_SPARE} are for others"
        yield Fault((_POOL,), problem, set_command(facts, _POOL, str(max(1, room // blitz))))


def file_size_and_heap(facts: LintFacts) -> Iterator[Fault]:
    """``omero.search.max_file_size`` above half of Indexer's heap."""
    heap, limit = facts.heaps.get("indexer"), facts.number(_FILE_SIZE)
    if heap is None or limit is None or limit * 2 <= heap:
        return
    problem = f"{_FILE_SIZE} is {_size(limit)}, more than half of Indexer's heap of {_size(heap)}"
    yield Fault((_FILE_SIZE, _INDEXER_HEAP), problem, set_command(facts, _FILE_SIZE, str(heap // 2)))


def heaps_and_memory(facts: LintFacts) -> Iterator[Fault]:
    """Heaps of the servers on this machine that add up to more than its memory."""
    running = _running(facts)
    heaps = {service: heap * running.get(service, 0) for service, heap in facts.heaps.items() if service in running}
    needed = sum(heaps.values())
    if facts.memory is None or needed <= facts.memory:
        return
    names = tuple(name for name in facts.explicit if name.startswith("omero.jvmcfg."))
    each = ", ".join(f"{service} {_size(heap)}" for service, heap in sorted(heaps.items()))
    problem = f"the heaps add up to {_size(needed)} ({each}), but the machine has {_size(facts.memory)}"
    sizes = [name for name in names if ".heap_size" in name or ".percent" in name or ".system_memory" in name]
    command = " && ".join(f"{facts.command} set {name}" for name in sizes) or "omero admin jvmcfg"
    yield Fault(names or ("omero.jvmcfg.percent",), problem, command)


def _running(facts: LintFacts) -> dict[str, int]:
    """How many servers of each service this machine runs."""
    named = counts(facts, MASTER)
    return {kind.lower(): number for kind, number in named.items()} if named else dict.fromkeys(_USUAL_SERVICES, 1)


def memory_settings(facts: LintFacts) -> Iterator[Fault]:
    """``omero.jvmcfg.*`` that give no heap size together."""
    names = tuple(name for name in facts.explicit if name.startswith("omero.jvmcfg."))
    if facts.heap_problem and not any(is_wrong(facts, name) for name in names):
        concerned = tuple(name for name in names if facts.heap_problem.startswith(f"{name} "))
        yield Fault(
            concerned, facts.heap_problem, f"{facts.command} set {(concerned or ('omero.jvmcfg.strategy',))[0]}"
        )


def session_times(facts: LintFacts) -> Iterator[Fault]:
    """``omero.sessions.timeout`` above ``omero.sessions.max_user_time_to_idle`` or ``omero.sessions.maximum``."""
    idle = facts.number(_IDLE)
    if idle is None:
        return
    limits = {
        "omero.sessions.max_user_time_to_idle": "is the longest that a user may ask for",
        "omero.sessions.maximum": "is how long a session lives at all",
    }
    for name, meaning in limits.items():
        limit = facts.number(name)
        if limit is None or limit <= 0 or 0 < idle <= limit:
            continue
        if _IDLE in facts.explicit or name in facts.explicit:
            spoken = "0, which is never," if idle == 0 else f"{idle} ms,"
            problem = f"{_IDLE} is {spoken} but {name}, {limit} ms, {meaning}"
            yield Fault((_IDLE, name), problem, set_command(facts, name, str(max(idle, 0))))


def slow_calls(facts: LintFacts) -> Iterator[Fault]:
    """``omero.throttling.method_time.warn`` as high as ``.error``, or higher."""
    for ending in ("", ".indexer"):
        names = (f"omero.throttling.method_time.warn{ending}", f"omero.throttling.method_time.error{ending}")
        warn, error = (facts.number(name) for name in names)
        if warn is not None and error is not None and warn >= error:
            problem = f"{names[0]} is {warn} ms, and {names[1]} is {error} ms"
            yield Fault(names, problem, set_command(facts, names[0], str(max(1, error // 4))))


def _size(number: int) -> str:
    return f"{number / _MEBIBYTE:,.0f} MiB" if number >= _MEBIBYTE else f"{number:,} bytes"


RULES: tuple[Rule, ...] = (
    Rule(
        "threads-beyond-pool",
        Severity.WARNING,
        "A thread that gets no connection to the database waits, and requests with it.",
        threads_and_pool,
    ),
    Rule(
        "background-threads",
        Severity.ADVICE,
        "Imports may take all threads, and people at the screen wait.",
        background_threads,
    ),
    Rule(
        "pool-unset",
        Severity.ADVICE,
        "The default is meant for a trial: a few users at once make each other wait.",
        pool_unset,
    ),
    Rule(
        "pool-beyond-postgresql",
        Severity.WARNING,
        "Under load, PostgreSQL refuses connections, and requests fail.",
        pool_and_postgresql,
    ),
    Rule(
        "file-size-beyond-heap",
        Severity.WARNING,
        "A large attachment makes Indexer run out of memory, which can break the index.",
        file_size_and_heap,
    ),
    Rule(
        "heaps-beyond-memory",
        Severity.WARNING,
        "Under load the kernel swaps, or kills one of the servers.",
        heaps_and_memory,
    ),
    Rule(
        "memory-settings",
        Severity.ERROR,
        "The grid's files can't be made, so that the server doesn't start.",
        memory_settings,
    ),
    Rule(
        "session-times",
        Severity.WARNING,
        "Sessions end sooner than the one setting promises, or live longer than the other allows.",
        session_times,
    ),
    Rule(
        "slow-call-times",
        Severity.ADVICE,
        "A slow call is never warned of before it is an error.",
        slow_calls,
    ),
)

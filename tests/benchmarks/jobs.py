"""What is measured: each claim beside what it is measured against, and the same jobs done by omero-py."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.profiles.store import update_profile
from tests.benchmarks.measure import COUNT, HEADING, Benchmark, Program, measure, paired_medians
from tests.support import peer
from tests.support.profiles import INSTALLED, config_file

MANY = 10_000
"""Properties of the large instance."""
KEY = "omero.db.host"


@dataclass(frozen=True)
class Files:
    """What the jobs work on.

    :param small: config.xml with a few properties
    :param large: config.xml with :data:`MANY`
    :param empty: name of a config.xml that every run makes anew
    :param lines: properties file with as many lines as ``large`` has properties
    :param line: properties file with one
    """

    small: Path
    large: Path
    empty: Path
    lines: Path
    line: Path


def make_files(directory: Path) -> Files:
    """Make them below a directory."""
    files = Files(
        config_file(directory / "small"),
        config_file(directory / "large"),
        config_file(directory / "empty"),
        directory / "lines.properties",
        directory / "line.properties",
    )
    few = {KEY: "localhost", "omero.data.dir": "/OMERO"}
    many = {f"omero.my.property.{number}": f"value {number}" for number in range(MANY - len(few))}
    update_profile(files.small, few)
    update_profile(files.large, {**few, **many})
    files.line.write_text(f"{KEY}=localhost\n")
    files.lines.write_text("".join(f"{name}={value}\n" for name, value in {**few, **many}.items()))
    return files


def measure_config(directory: Path, pairs: int, *, peers: bool) -> bool:
    """Measure `omero config`, print the tables.

    :param directory: for the instances
    :param pairs: runs of each program
    :param peers: whether to measure others than ours
    :return: whether all goals are met
    """
    met = True
    files = make_files(directory)
    print(HEADING)
    for benchmark in benchmarks(files):
        result = measure(benchmark, pairs)
        met = met and result.is_met
        print(result.line(), flush=True)
    if not peers:
        return met
    print(f"\n{'beside omero-py':<50} {'ours ms':>9} {'theirs ms':>9} {'theirs':>9}")
    for job in comparisons(files):
        number = 1 if job.slow else max(3, pairs // 3)
        ours, theirs = paired_medians(job.ours, job.theirs, number, warm_up=not job.slow)
        print(f"{job.name:<50} {ours:9.1f} {theirs:9.1f} {theirs / ours:7.1f} x", flush=True)
    if peer.missing_reason():
        print(peer.missing_reason())
    if full_program_python() is None:
        print("omero-py's whole program isn't measured: OMERO_PY names no Python with omero-py and Ice")
    return met


def benchmarks(files: Files) -> list[Benchmark]:
    """All claims."""

    def ours(*words: str, config_xml: Path = files.small, fresh: bool = False) -> Program:
        return Program((INSTALLED, *words), config_xml, fresh)

    def python(code: str) -> Program:
        return Program((sys.executable, "-c", code), files.small)

    get = ours("config", "get", KEY)
    set_ = ours("config", "set", "omero.db.name", f"omero{COUNT}")
    load_one = ours("config", "load", str(files.line), config_xml=files.empty, fresh=True)
    load_many = ours("config", "load", str(files.lines), config_xml=files.empty, fresh=True)
    return [
        Benchmark("omero version / import typer", ours("version"), python("import typer"), times=1.0),
        Benchmark("omero --help / import typer", ours("--help"), python("import typer"), times=2.5),
        Benchmark("omero config get KEY / python -c pass", get, python("pass"), times=3.0),
        Benchmark(
            "omero config set KEY VALUE / import typer, lxml.etree", set_, python("import typer, lxml.etree"), times=1.8
        ),
        Benchmark(
            f"omero config get, of {MANY:,} - config get KEY", ours("config", "get", config_xml=files.large), get,
            more=300, share=0.5,
        ),
        Benchmark(f"omero config load, of {MANY:,} - of 1", load_many, load_one, more=1000, share=0.2),
    ]  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """The same job done by ours and by omero-py.

    :param slow: whether one run of omero-py's is enough
    """

    name: str
    ours: Program
    theirs: Program
    slow: bool = False


def full_program_python() -> str | None:
    """The Python that ``OMERO_PY`` names, if omero-py and Ice are there."""
    python = os.environ.get("OMERO_PY", "")
    if not shutil.which(python):
        return None
    done = subprocess.run([python, "-c", "import Ice, omero.main"], capture_output=True, check=False, timeout=60)
    return python if done.returncode == 0 else None


def comparisons(files: Files) -> list[Comparison]:
    """Jobs that omero-py does as well; none where it isn't installed."""
    found: list[Comparison] = []
    if peer.missing_reason() is None:
        driver = (sys.executable, str(Path(__file__).with_name("omero_py.py")), str(peer.PEERS))
        found += _jobs(files, "omero-py's code without Ice", lambda file: (*driver, str(file)))
    full = full_program_python()
    if full is not None:
        program = (full, "-c", "from omero.main import main; raise SystemExit(main())", "config")
        found += _jobs(files, "omero-py", lambda _: program)
    return found


def _jobs(files: Files, label: str, theirs: Callable[[Path], tuple[str, ...]]) -> list[Comparison]:
    def job(name: str, config_xml: Path, *words: str, slow: bool = False) -> Comparison:
        fresh = config_xml == files.empty
        return Comparison(
            f"config {name} / {label}",
            Program((INSTALLED, "config", *words), config_xml, fresh),
            Program((*theirs(config_xml), *words), config_xml, fresh),
            slow,
        )

    return [
        job("get KEY", files.small, "get", KEY),
        job("set KEY VALUE", files.small, "set", "omero.db.name", f"omero{COUNT}"),
        job(f"get, of {MANY:,}", files.large, "get", slow=True),
        job(f"load, of {MANY:,}", files.empty, "load", str(files.lines), slow=True),
    ]

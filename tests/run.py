"""Runs the suite: components first, then the tests as an unprivileged user, then those that need root; coverage last.

``make test`` calls this inside the test environment. Arguments after ``--`` go to pytest.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.support.components import missing_packages

CHECKOUT = Path(__file__).resolve().parent.parent
COVERAGE_GOAL = 85
"""Per cent of omeroadmin's lines that the tests run, subprocesses included."""
LANES = (
    ("tests/integration",),
    ("tests/contracts", "tests/unit", "tests/property", "tests/crash", "tests/e2e"),
)
"""Parts that root runs at the same time, each in a network of its own, so that none takes another's ports."""
ALONE = ("tests/e2e/test_demo.py",)
"""What needs the real network, for the packages that it installs."""
_NETWORK = ("unshare", "--net", "--", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


def main() -> int:
    """Run everything and give the exit status."""
    parser = argparse.ArgumentParser(prog="make test")
    parser.add_argument("--account", default=pwd.getpwuid(os.getuid()).pw_name, help="unprivileged user")
    parser.add_argument("--work", type=Path, required=True, help="scratch directory")
    parser.add_argument("pytest", nargs="*", help="arguments for pytest")
    options = parser.parse_args()
    is_root = os.geteuid() == 0
    test_hosts = None
    if is_root:
        install_packages()
        # It takes a minute on a new machine, and those who need it come last.
        test_hosts = subprocess.Popen([sys.executable, "-m", "tests.support.testhosts_prepare"], cwd=CHECKOUT)
    data = options.work / "coverage"
    data.mkdir()
    if is_root:
        shutil.chown(data, options.account)
    # Without root nothing is deselected: what can't be run is skipped, with its reason in the summary.
    marker = "not root" if is_root else ""
    if is_root and not options.pytest and has_namespaces():
        statuses = run_side_by_side(marker, options.work, data, options.account)
        statuses.append(run_pytest([*ALONE], marker, options.work / "tests", data, options.account))
    else:
        statuses = [run_pytest(options.pytest, marker, options.work / "tests", data, options.account)]
    if test_hosts is not None:
        statuses.append(test_hosts.wait())
        statuses.append(run_pytest(options.pytest, "root", options.work / "tests-as-root", data, None, options.account))
    if not options.pytest:
        statuses.append(report_coverage(data))
    return max(statuses)


def install_packages() -> None:
    """Install the Debian packages that are missing; what still misses is the tests' business to say."""
    wanted = missing_packages()
    if not wanted or shutil.which("apt-get") is None:
        return
    print(f"Installing {' '.join(wanted)}", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"env": environment, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "check": False}
    subprocess.run(["apt-get", "update", "-q"], **quiet)  # type: ignore[call-overload]
    # A package whose service starts by itself would take the ports that tests and demo use.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *wanted], **quiet)  # type: ignore[call-overload]
    finally:
        if ours:
            policy.unlink()


def has_namespaces() -> bool:
    """Whether parts can run side by side: in networks of their own, on a core each."""
    if (os.cpu_count() or 1) < len(LANES) or shutil.which("unshare") is None:
        return False
    return subprocess.run([*_NETWORK, "true"], capture_output=True, check=False).returncode == 0


def run_side_by_side(marker: str, work: Path, data: Path, account: str) -> list[int]:
    """Run the lanes at the same time; the first one's lines are shown as they come, the others' at the end.

    :return: exit statuses
    """
    lanes = []
    for number, paths in enumerate(LANES):
        arguments = [*paths, *(f"--ignore={path}" for path in ALONE)]
        command, environment = prepare(arguments, marker, work / f"tests-{number}", data, account)
        output = (work / f"output-{number}").open("w+") if number else None
        process = subprocess.Popen([*_NETWORK, *command], cwd=CHECKOUT, env=environment, stdout=output)
        lanes.append((process, output))
    statuses = []
    for process, output in lanes:
        statuses.append(process.wait())
        if output is not None:
            output.seek(0)
            shutil.copyfileobj(output, sys.stdout)
            sys.stdout.flush()
            output.close()
    return statuses


def run_pytest(
    arguments: list[str], marker: str, home: Path, data: Path, account: str | None, servers: str = ""
) -> int:
    """Run the tests with a marker, as an account or as this user.

    :param servers: account for servers of tests that run as this user
    :return: exit status; 0 as well where the arguments select no test
    """
    command, environment = prepare(arguments, marker, home, data, account, servers)
    status = subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode
    no_tests_collected = 5
    return 0 if status == no_tests_collected else status


def prepare(
    arguments: list[str], marker: str, home: Path, data: Path, account: str | None, servers: str = ""
) -> tuple[list[str], dict[str, str]]:
    """Make the home of a run.

    :return: its command and variables
    """
    home.mkdir()
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-p", "no:cacheprovider"]
    command += ["-m", marker, f"--basetemp={home / 'tmp'}", *arguments]
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COVERAGE_FILE": str(data / ".coverage"),
        "COVERAGE_RCFILE": str(CHECKOUT / "pyproject.toml"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(home / "hypothesis"),
    }
    kept = ("OMERO_TEST_REQUIRE_ALL", "OMERO_TEST_CACHE", "CI")
    pip = ("PIP_CERT", "PIP_FIND_LINKS", "PIP_CONFIG_FILE", "PIP_INDEX_URL")
    environment |= {name: os.environ[name] for name in (*kept, *pip) if name in os.environ}
    if account is None:
        # Tests that need root for something else have their servers run by somebody else.
        environment["OMERO_TEST_ACCOUNT"] = servers
    elif os.geteuid() == 0:
        shutil.chown(home, account)
        command = ["runuser", "-u", account, "--", *command]
    return command, environment


def report_coverage(data: Path) -> int:
    """Put the figures of all processes together, print them and hold them against the goal.

    :return: exit status
    """
    environment = {**os.environ, "COVERAGE_FILE": str(data / ".coverage")}
    drop_cut_files(data)
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "-q"], cwd=CHECKOUT, env=environment, check=False)
    report = [*coverage, "report", f"--fail-under={COVERAGE_GOAL}"]
    return subprocess.run(report, cwd=CHECKOUT, env=environment, check=False).returncode


def drop_cut_files(data: Path) -> None:
    """Remove figures that a process was writing when a test killed it; coverage would warn of each."""
    for path in data.iterdir():
        try:
            with contextlib.closing(sqlite3.connect(path)) as figures:
                figures.execute("SELECT version FROM coverage_schema").fetchone()
        except sqlite3.DatabaseError:
            path.unlink()


if __name__ == "__main__":
    sys.exit(main())

"""``virtualenv``: a virtual environment of Python with packages in it."""

from __future__ import annotations

import os
import re
import shutil

from omeroadmin.provisioning.agent import virtual_environments as environments
from omeroadmin.provisioning.agent.accounts import same_user, user_name, user_number
from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish, system_failure
from omeroadmin.provisioning.agent.files import read_whole
from omeroadmin.provisioning.agent.requirements import parse_requirement, read_requirements
from omeroadmin.provisioning.agent.running import Done, check, run

_MAKE_TIMEOUT = 300.0
_PIP_TIMEOUT = 1800.0
_LOGIN = re.compile(r"//[^/@\s]*@")
"""Account and password in an address: never a fact."""


def facts(wish: Wish) -> Facts:
    """How the environment is, and which of the wished packages it has."""
    path = wish["path"]
    found = environments.condition(path)
    wanted = _wanted(wish)
    names = {parse_requirement(text).name for text in wanted}
    versions = environments.installed_versions(path, found.python) if found.state == "whole" else {}
    recorded = environments.recorded_digests(path)
    return {
        "state": found.state,
        "why": found.why,
        "python": found.python,
        "wished_python": environments.program_version(wish["python"]),
        "owner": user_name(os.stat(path).st_uid) if os.path.exists(path) else "",
        "versions": {name: version for name, version in sorted(versions.items()) if name in names},
        "recorded": [text for text in wanted if recorded and environments.requirement_digest(text) in recorded],
        "wanted": wanted[len(wish["packages"]) :],
    }


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Make the environment, or make it anew, and install what is missing."""
    path, state = wish["path"], facts["state"]
    if state == "foreign":
        hint = f"look at it, and move it away: ls -la {path}"
        raise HostError("host-not-a-virtualenv", f"{path} is there and is no virtual environment", hint)
    if wish["state"] == "absent":
        return [] if state == "absent" else [Change("remove", f"remove the virtual environment {path}")]
    changes, versions, recorded = [], facts["versions"], facts["recorded"]
    other = state == "whole" and facts["wished_python"] not in {"", facts["python"]}
    if state == "absent":
        changes.append(Change("make", f"make the virtual environment {path} with {wish['python']}"))
    elif state == "broken" or other:
        why = facts["why"] or f"its Python is {facts['python']}, not {facts['wished_python']}"
        changes.append(Change("rebuild", f"make the virtual environment {path} anew: {why}"))
    elif wish["owner"] and not same_user(wish["owner"], facts["owner"]):
        changes.append(Change("own", f"give {path} to {wish['owner']}", facts["owner"] + "\n", wish["owner"] + "\n"))
    if changes and changes[0].action != "own":
        versions, recorded = {}, []
    requirements = [parse_requirement(text) for text in wish["packages"] + facts["wanted"]]
    missing = [one for one in requirements if not one.is_met(versions, recorded)]
    if missing or (wish["requirements"] and not facts["wanted"] and changes):
        before = "".join(f"{one.name}=={versions[one.name]}\n" for one in missing if one.name in versions)
        after = "".join(f"{one.text}\n" for one in missing)
        what = _counted(len(missing)) if missing else f"what {wish['requirements']} names"
        changes.append(Change("install", f"install {what} in {path}", before, after))
    return changes


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    path = wish["path"]
    found = environments.condition(path)
    before = environments.installed_versions(path, found.python) if found.state == "whole" else None
    record: Undo = {"path": path, "owner": wish["owner"], "before": before, "pip": _kept_places(wish)}
    try:
        if change.action == "own":
            _give(path, wish["owner"])
            return None
        if change.action == "remove":
            shutil.rmtree(path)
            environments.forget(path)
            return None
        if change.action in {"make", "rebuild"}:
            _make(wish, clear=change.action == "rebuild")
            return record
    except OSError as error:
        raise system_failure("changed", path, error) from error
    _install(wish)
    return record


def undo(record: Undo) -> str:
    """Bring earlier versions back; an environment that wasn't there goes."""
    path, before = record["path"], record["before"]
    found = environments.condition(path)
    if found.state in {"absent", "foreign"}:
        return f"the virtual environment {path} is gone already"
    if before is None:
        shutil.rmtree(path)
        environments.forget(path)
        return f"removed the virtual environment {path}"
    present = environments.installed_versions(path, found.python)
    added = sorted(set(present) - set(before))
    changed = [f"{name}=={version}" for name, version in sorted(before.items()) if present.get(name) != version]
    environments.begin(path)
    results = []
    if added:
        results.append(_pip(path, record["owner"], ["uninstall", "--yes", "--", *added], {}))
    if changed:
        results.append(_pip(path, record["owner"], ["install", "--no-deps", "--", *changed], record["pip"]))
    environments.forget(path)
    for done in results:
        if done.status != 0:
            raise HostError("host-pip-failed", f"{path} can't be taken back: {_reason(done)}")
    return f"gave {path} its earlier packages back"


def _wanted(wish: Wish) -> "list[str]":
    content = read_whole(wish["requirements"]) if wish["requirements"] else None
    return [text.strip() for text in wish["packages"]] + [
        _LOGIN.sub("//", text) for text in read_requirements((content or b"").decode(errors="replace"))
    ]


def _make(wish: Wish, clear: bool) -> None:
    path = wish["path"]
    environments.begin(path)
    os.makedirs(path, exist_ok=True)
    _give(path, wish["owner"])
    options = ["--clear"] if clear else []
    if wish["system_packages"]:
        options.append("--system-site-packages")
    check(
        [wish["python"], "-m", "venv", *options, path],
        f"make the virtual environment {path}",
        "on Debian and Ubuntu, the package python3-venv must be installed",
        timeout=_MAKE_TIMEOUT,
        user=wish["owner"],
    )
    environments.end(path, [])


def _install(wish: Wish) -> None:
    """Have pip install all that is wished: it leaves alone what is there and fits together.

    :raises HostError: ``host-pip-failed``
    """
    path, wanted = wish["path"], _wanted(wish)
    places = {"PIP_INDEX_URL": wish["index"], "PIP_FIND_LINKS": wish["find_links"]}
    again = [text for text in wish["packages"] if text.startswith("/") and _is_other_file(path, text)]
    arguments = ["install", *wish["options"], *(["-r", wish["requirements"]] if wish["requirements"] else [])]
    environments.begin(path)
    done = _pip(path, wish["owner"], [*arguments, "--", *wish["packages"]], places)
    if done.status == 0 and again:
        done = _pip(path, wish["owner"], ["install", "--force-reinstall", "--no-deps", "--", *again], places)
    environments.end(path, [environments.requirement_digest(text) for text in wanted] if done.status == 0 else [])
    if done.status != 0:
        raise HostError("host-pip-failed", f"packages can't be installed in {path}: {_reason(done)}")


def _is_other_file(path: str, text: str) -> bool:
    """Whether a file has the version that is installed, but isn't what was installed."""
    if environments.requirement_digest(text) in environments.recorded_digests(path):
        return False
    name = parse_requirement(text).name
    return name in environments.installed_versions(path, environments.condition(path).python)


def _pip(path: str, owner: str, arguments: "list[str]", places: "dict[str, str]") -> Done:
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_NO_WARN_SCRIPT_LOCATION": "1"}
    environment = {**quiet, **{name: value for name, value in places.items() if value}}
    command = [os.path.join(path, "bin", "python"), "-m", "pip", "--quiet", *arguments]
    return run(command, timeout=_PIP_TIMEOUT, user=owner, environment=environment)


def _kept_places(wish: Wish) -> "dict[str, str]":
    """Where packages come from, for the way back; an address with a password in it is not kept."""
    places = {"PIP_INDEX_URL": wish["index"], "PIP_FIND_LINKS": wish["find_links"]}
    kept = {name: value for name, value in places.items() if value and "@" not in value}
    if "--no-index" in wish["options"]:
        kept["PIP_NO_INDEX"] = "1"
    return kept


def _give(path: str, owner: str) -> None:
    """Give a tree to a user and the user's group; nothing outside it, whatever its links say."""
    if not owner:
        return
    import pwd

    number = user_number(owner)
    try:
        group = pwd.getpwuid(number).pw_gid
    except KeyError:
        group = -1
    for _, directories, files, descriptor in os.fwalk(path):
        os.fchown(descriptor, number, group)
        for name in directories + files:
            os.chown(name, number, group, dir_fd=descriptor, follow_symlinks=False)


def _reason(done: Done) -> str:
    errors = [line.strip() for line in done.error_output.splitlines() if line.strip().startswith("ERROR:")]
    return errors[-1].replace("ERROR: ", "") if errors else done.last_words()


def _counted(number: int) -> str:
    return "1 package" if number == 1 else f"{number} packages"

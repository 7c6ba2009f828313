"""``package``: packages of the distribution, installed or not."""

from __future__ import annotations

from omeroadmin.provisioning.agent import debian_packages, redhat_packages
from omeroadmin.provisioning.agent.change import Change, Facts, Undo, Wish
from omeroadmin.provisioning.agent.packages import Installed, package_family

_HOUR = 3600.0


def facts(wish: Wish) -> Facts:
    """Versions of those packages that are installed, and what an interrupted run left."""
    found = _installed(wish["names"])
    return {
        "installed": {name: found.versions[name] for name in wish["names"] if name in found.versions},
        "unfinished": found.unfinished,
    }


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Install what is missing, remove what shall not be; finish an interrupted run of dpkg before."""
    changes = []
    if wish["state"] == "absent":
        present = [name for name in wish["names"] if name in facts["installed"]]
        if present:
            versions = "".join(f"{name} {facts['installed'][name]}\n" for name in present)
            changes.append(Change("remove", f"remove {_packages(present)}", versions, ""))
    else:
        missing = [name for name in wish["names"] if name not in facts["installed"]]
        if missing:
            changes.append(Change("install", f"install {_packages(missing)}", "", "".join(f"{n}\n" for n in missing)))
    if changes and facts["unfinished"]:
        names = ", ".join(facts["unfinished"])
        changes.insert(0, Change("repair", f"finish an interrupted installation: {names}"))
    return changes


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    family, wait = package_family(), float(wish["wait"])
    before = _all_names(family)
    if change.action == "repair":
        debian_packages.repair(wait)
        return None
    found = _installed(wish["names"]).versions
    if change.action == "remove":
        names = [name for name in wish["names"] if name in found]
        _remove(family, names, wait)
        return {"install": sorted(before - _all_names(family)), "wait": wait}
    names = [name for name in wish["names"] if name not in found]
    if family == "debian" and names:
        debian_packages.install(names, wish["recommends"], wish["lists_age"] * _HOUR, wait)
    elif names:
        redhat_packages.install(names, wish["recommends"], wait)
    return {"remove": sorted(_all_names(family) - before), "wait": wait}


def undo(record: Undo) -> str:
    """Take a change back; data and configuration of removed packages stay."""
    family, wait = package_family(), record["wait"]
    present = _all_names(family)
    if "remove" in record:
        names = [name for name in record["remove"] if name in present]
        if names:
            _remove(family, names, wait)
        return f"removed {_packages(names)}" if names else "the packages are gone already"
    names = [name for name in record["install"] if name not in present]
    if family == "debian" and names:
        debian_packages.install(names, recommends=False, lists_age=24 * _HOUR, wait=wait)
    elif names:
        redhat_packages.install(names, recommends=False, wait=wait)
    return f"installed {_packages(names)} again" if names else "the packages are there already"


def _remove(family: str, names: "list[str]", wait: float) -> None:
    (debian_packages.remove if family == "debian" else redhat_packages.remove)(names, wait)


def _installed(names: "list[str]") -> Installed:
    return debian_packages.installed() if package_family() == "debian" else redhat_packages.installed(names)


def _all_names(family: str) -> "set[str]":
    if family == "debian":
        return debian_packages.all_names()
    return redhat_packages.all_names()


def _packages(names: "list[str]") -> str:
    return ("package " if len(names) == 1 else "packages ") + ", ".join(names)

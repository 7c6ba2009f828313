"""Plans in files: what was asked for, and by what the same plan is recognised when it is made anew. No secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from omeroadmin.errors import configuration_error, failed_error
from omeroadmin.provisioning.inventory import Become
from omeroadmin.provisioning.rollout_choice import RolloutChoice
from omeroadmin.provisioning.rollout_plan import RolloutPlan
from omeroadmin.system.clock import utc_stamp
from omeroadmin.system.files import SECRET_MODE, read_text, write_atomically

_SCHEMA = "omeroadmin/hosts/saved-plan/1"
_HINT = "make it anew: omero hosts plan --out FILE"


def save_plan(path: Path, choice: RolloutChoice, plan: RolloutPlan) -> None:
    """Write a plan, mode 0600.

    :raises AdminError: ``file-not-written``
    """
    asked = {
        "playbooks": [str(Path(name).absolute()) if Path(name).is_file() else name for name in choice.playbooks],
        "inventory": None if choice.inventory is None else str(choice.inventory.absolute()),
        "variables": None if choice.variables is None else str(choice.variables.absolute()),
        "local": choice.local,
        "limit": choice.limit,
        "tags": choice.tags,
        "skipped": choice.skipped,
        "settings": choice.settings,
        "become": choice.become,
    }
    hosts = {host.host: {"state": host.state, "digest": host.digest} for host in plan.hosts}
    document = {"schema": _SCHEMA, "made": utc_stamp(), "asked": asked, "hosts": hosts}
    write_atomically(path, (json.dumps(document, indent=2) + "\n").encode(), mode=SECRET_MODE)


def read_plan(path: Path) -> tuple[RolloutChoice, dict[str, Any]]:
    """What was asked for, and state and digest of each host.

    :raises AdminError: ``file-not-read``, ``plan-invalid``
    """
    try:
        document = json.loads(read_text(path))
        if document["schema"] != _SCHEMA:
            raise ValueError
        asked, hosts = document["asked"], dict(document["hosts"])
        choice = RolloutChoice(
            tuple(map(str, asked["playbooks"])),
            None if asked["inventory"] is None else Path(asked["inventory"]),
            bool(asked["local"]),
            str(asked["limit"]),
            tuple(asked["tags"]),
            tuple(asked["skipped"]),
            None if asked["variables"] is None else Path(asked["variables"]),
            tuple(asked["settings"]),
            None if asked["become"] is None else Become(asked["become"]),
        )
        digests = {str(name): (str(host["state"]), str(host["digest"])) for name, host in hosts.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise configuration_error("plan-invalid", f"{path} is no saved plan", _HINT) from error
    return choice, digests


def require_same(path: Path, saved: dict[str, Any], plan: RolloutPlan) -> None:
    """The plan made anew is the one that was saved.

    :raises AdminError: ``plan-outdated``
    """
    now = {host.host: (host.state.value, host.digest) for host in plan.hosts}
    changed = sorted(name for name in {*saved, *now} if saved.get(name) != now.get(name))
    if changed:
        raise failed_error(
            "plan-outdated",
            f"{path}: what it was made of has changed since, on or for {', '.join(changed)}; nothing was done",
            "look at what would change now, and save it anew: omero hosts plan … --out FILE",
        )

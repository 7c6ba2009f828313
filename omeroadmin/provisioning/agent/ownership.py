"""Owner, group and mode of paths: what operations on files, directories and archives share."""

from __future__ import annotations

import os

from omeroadmin.provisioning.agent.accounts import group_number, same_group, same_user, user_number
from omeroadmin.provisioning.agent.change import Change, Facts, Wish
from omeroadmin.provisioning.agent.places import held


def attribute_changes(wish: Wish, facts: Facts) -> list[Change]:
    """What gives an existing path the ``owner``, ``group`` and ``mode`` of a wish; empty fields leave things alone.

    :param facts: of :func:`omeroadmin.provisioning.agent.files.describe_path`
    """
    path, changes = wish["path"], []
    wrong_owner = wish["owner"] and not same_user(wish["owner"], facts["owner"])
    wrong_group = wish["group"] and not same_group(wish["group"], facts["group"])
    if wrong_owner or wrong_group:
        was = f"{facts['owner']}:{facts['group']}"
        now = f"{wish['owner'] or facts['owner']}:{wish['group'] or facts['group']}"
        changes.append(Change("own", f"change owner of {path}", was + "\n", now + "\n"))
    if wish["mode"] and int(wish["mode"], 8) != int(facts["mode"], 8):
        changes.append(Change("mode", f"change mode of {path}", facts["mode"] + "\n", wish["mode"] + "\n"))
    return changes


def give(path: str, owner: str, group: str, mode: str) -> None:
    """Set owner and group, then mode: giving a file away drops its setuid and setgid bits.

    :param owner: name or number; empty: as it is
    :param mode: octal digits; empty: as it is
    :raises OSError: as the system says
    :raises HostError: ``host-user-unknown``, ``host-group-unknown``, ``host-link-untrusted``
    """
    with held(path) as place:
        descriptor = os.open(place, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        same = f"/proc/self/fd/{descriptor}"
        if owner or group:
            present = os.fstat(descriptor).st_mode & 0o7777
            os.chown(same, user_number(owner) if owner else -1, group_number(group) if group else -1)
            mode = mode or f"{present:o}"
        if mode:
            os.chmod(same, int(mode, 8))
    finally:
        os.close(descriptor)

"""What is wrong with a playbook as a whole: names given twice, triggers that lead nowhere."""

from __future__ import annotations

from omeroadmin.errors import usage_error
from omeroadmin.provisioning.playbook import Playbook
from omeroadmin.schema.shapes import nearest


def check_names(playbook: Playbook) -> None:
    """Stages and identifiers have names of their own.

    :raises AdminError: ``name-twice``
    """
    stages: dict[str, str] = {}
    identifiers: dict[str, str] = {}
    for stage in playbook.stages:
        if stage.name in stages:
            raise usage_error(
                "name-twice", f"{stage.origin}: the stage {stage.name} is there twice; first: {stages[stage.name]}"
            )
        stages[stage.name] = stage.origin
        for entry in stage.entries:
            name = entry.identifier
            if name in identifiers:
                raise usage_error("name-twice", f"{entry.origin}: the id {name} is there twice; {identifiers[name]}")
            if name:
                identifiers[name] = entry.origin


def check_triggers(playbook: Playbook) -> None:
    """Triggers name operations below; each such operation has something that triggers it.

    :raises AdminError: ``trigger-unknown``, ``trigger-above``, ``trigger-unused``
    """
    entries = [entry for stage in playbook.stages for entry in stage.entries]
    places = {entry.identifier: place for place, entry in enumerate(entries) if entry.identifier}
    pulled = set()
    for place, entry in enumerate(entries):
        for name in entry.triggers:
            if name not in places:
                near = nearest(name, places)
                hint = f"did you mean {near}?" if near else f"give the operation that it means: id: {name}"
                raise usage_error("trigger-unknown", f"{entry.origin}: no operation has the id {name!r}", hint)
            if places[name] <= place:
                raise usage_error(
                    "trigger-above",
                    f"{entry.origin}: {name} stands above what triggers it",
                    f"move {name} below: {entries[places[name]].origin}",
                )
            pulled.add(name)
    for name, place in places.items():
        if name not in pulled:
            raise usage_error(
                "trigger-unused",
                f"{entries[place].origin}: nothing triggers {name}, so it would never run",
                f"add triggers: [{name}] to another operation, or leave the id out",
            )

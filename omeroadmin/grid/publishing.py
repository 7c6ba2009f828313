"""From rendered files to a plan: all of them replaced together, and what somebody changed by hand kept beside them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.errors import AdminWarning
from omeroadmin.schema.instance import Instance
from omeroadmin.steps.plan import Plan, Step
from omeroadmin.system.host import Host
from omeroadmin.system.together import Present, SetFile, Together

MARK = "Written by `omero admin rewrite`"
"""Words in the first lines of each file that is rendered from our own templates."""

_BEGINNING = 200
"""Bytes at the beginning of a file in which the mark stands."""


@dataclass(frozen=True)
class KeepFile:
    """Keep a copy of a file that is about to be replaced though it isn't what was rendered.

    :param place: where the copy will be, unless that name is taken meanwhile
    :param edited: whether it was rendered once, and changed by hand
    """

    together: Together
    name: str
    content: bytes = field(repr=False)
    mode: int
    place: Path
    edited: bool

    def describe(self) -> str:
        """One line for the plan."""
        return f"keep {self.together.root / self.name}, which {self._why()}, as {self.place}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - files are rendered where the toolkit runs
        """Make the copy and warn.

        :raises AdminError: ``file-not-written``, ``file-not-read``
        """
        kept = self.together.keep(self.name, self.content, self.mode)
        words = f"{self.together.root / self.name} {self._why()}; it is kept as {kept} and rendered anew"
        warnings.warn(f"{words}. Settings belong in config.xml: omero config set", AdminWarning, stacklevel=2)

    def _why(self) -> str:
        return "was changed by hand" if self.edited else "is not what this version renders"


@dataclass(frozen=True)
class ReplaceFiles:
    """Replace the whole set in one step.

    :param expected: what was found, by name
    :param changed: names of the files that will have another content, or none before
    :param gone: names of the files that will be no more
    """

    together: Together
    files: tuple[SetFile, ...] = field(repr=False)
    expected: Mapping[str, bytes | None] = field(repr=False)
    changed: tuple[str, ...]
    gone: tuple[str, ...] = ()

    def describe(self) -> str:
        """One line for the plan."""
        root = self.together.root
        changed, gone = (", ".join(str(root / name) for name in names) for names in (self.changed, self.gone))
        parts = [f"write {changed}" * bool(changed), f"remove {gone}" * bool(gone)]
        return "; ".join(part for part in parts if part) or f"tidy up {self.together.store}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - files are rendered where the toolkit runs
        """Make the change.

        :raises AdminError: ``files-changed``, ``locked``, ``file-not-written``, ``file-not-read``
        """
        self.together.replace(self.files, self.expected)


def rendered_files(instance: Instance) -> Together:
    """The rendered files of an instance; the descriptor includes config.xml, which is the admin's."""
    return Together(instance.etc, (instance.config_xml.relative_to(instance.etc).as_posix(),))


def plan_publishing(
    instance: Instance, files: Sequence[SetFile], nodes: Sequence[str] = (), *, force: bool = False
) -> Plan:
    """The steps from what there is to these files.

    :param files: all of them, named relative to ``etc``
    :param nodes: names among them that give way to a file of the admin's own making
    :param force: write also what is as it should be
    :raises AdminError: ``file-not-read``
    """
    together = rendered_files(instance)
    present = together.survey([file.name for file in files])
    files = tuple(file for file in files if not (file.name in nodes and _is_own(present[file.name])))
    wanted = {file.name: file for file in files}
    found = {name: one for name, one in present.items() if name in wanted or one.linked or one.recorded}
    changed = tuple(name for name, file in wanted.items() if force or not found[name].shows(file))
    gone = tuple(name for name in found if name not in wanted)
    steps: list[Step] = [_keep(together, one) for one in found.values() if _is_lost(one, wanted.get(one.name))]
    if changed or gone or together.leftovers():
        expected = {name: one.content for name, one in found.items()}
        steps.append(ReplaceFiles(together, files, expected, changed, gone))
    return Plan(f"rewrite the grid's configuration in {instance.etc}", tuple(steps))


def _is_own(present: Present) -> bool:
    """Whether a node's file was made by the admin, as the manual describes it, and never by us."""
    if present.content is None or present.linked or present.recorded:
        return False
    return MARK.encode() not in present.content[:_BEGINNING]


def _is_lost(present: Present, wanted: SetFile | None) -> bool:
    """Whether replacing it would lose something that nobody could render again."""
    if present.content is None or present.untouched:
        return False
    return wanted is None or present.content != wanted.content


def _keep(together: Together, present: Present) -> KeepFile:
    content = present.content or b""
    place = together.place_to_keep(present.name, content)
    return KeepFile(together, present.name, content, present.mode, place, present.recorded)

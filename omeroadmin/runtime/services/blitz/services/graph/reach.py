"""How far a delete, a move or a change of ownership reaches from its targets. Pure.

What a container holds goes with it unless another container holds it as well, or it is another user's. Annotations
go when nothing else is annotated by them. Filesets are never split.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from omeroadmin.runtime.services.blitz.services.graph.facts import Facts, Ids, Whose
from omeroadmin.runtime.services.blitz.services.graph.shape import (
    ANNOTATION_LINKS,
    CONTAINMENT,
    KEPT_ANNOTATIONS,
    PARTS,
    USES,
)
from omeroadmin.runtime.services.blitz.services.graph.wish import Operation, Wish
from omeroadmin.runtime.services.blitz.services.levels import Level, level_of
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES
from omeroadmin.runtime.services.blitz.services.permissions import Action, Holding, may, require
from omeroadmin.runtime.services.blitz.services.problems import conflict, denied

_KINDS = {entity.discriminator: entity.name for entity in ENTITIES.values() if entity.discriminator}
_EXCLUDED = "excluded"
_OTHERS = "owned by another user"
_MOST_NAMED = 5


@dataclass
class Reach:
    """Result of :func:`reach`.

    :param going: objects that go, parts with their wholes, without links that merely lose an end
    :param kept: why something next to them doesn't, by type and id
    """

    going: Ids = field(default_factory=lambda: defaultdict(set))
    kept: dict[tuple[str, int], str] = field(default_factory=dict)


def reach(facts: Facts, wish: Wish) -> Reach:
    """Find what goes.

    :raises AdminError: ``permission-denied``, ``fileset-split``, ``file-in-use``
    """
    walk = _Walk(facts, wish)
    walk.targets()
    walk.containers()
    walk.filesets()
    walk.parts()
    walk.annotations_and_files()
    walk.check_files()
    return Reach(walk.going, walk.kept)


def kind_of(facts: Facts, name: str, object_id: int) -> str:
    """The type of an object, told from its kind where facts keep several types as one."""
    if name == "Annotation":
        return _KINDS.get(facts.kinds.get(object_id, ""), name)
    if name == "Job":
        kind = facts.jobs.get(object_id, "")
        return kind if kind in ENTITIES else name
    return name


class _Walk:
    def __init__(self, facts: Facts, wish: Wish) -> None:
        self.going: Ids = defaultdict(set)
        self.kept: dict[tuple[str, int], str] = {}
        self._facts = facts
        self._wish = wish
        self._answers: dict[tuple[Action, Whose], bool] = {}

    def targets(self) -> None:
        """What was named, if all of it may go; what is there already is left out.

        :raises AdminError: ``permission-denied``, ``fileset-split``
        """
        for name, ids in self._facts.targets.items():
            is_link = ENTITIES.get(name) is not None and ENTITIES[name].link is not None
            for one in sorted(ids):
                link = self._facts.links[name][one] if is_link else None
                whose = Whose(link.owner, link.group) if link else self._facts.objects[name][one]
                self._require(self._wish.operation.action, f"{kind_of(self._facts, name, one)}:{one}", whose)
                if not self._is_there(whose):
                    self.going[name].add(one)
        for image, fileset in sorted(self._facts.filesets.items()):
            if fileset in self.going["Fileset"] and image in self._facts.objects["Image"]:
                if "Image" in self._wish.exclude:
                    raise conflict(
                        "fileset-split",
                        f"Fileset:{fileset} goes with all of its images only, and Image is excluded; name something"
                        " else, or don't exclude Image",
                    )
                whose = self._facts.objects["Image"][image]
                self._require(self._wish.operation.action, f"Image:{image}", whose)
                if not self._is_there(whose):
                    self.going["Image"].add(image)

    def containers(self) -> None:
        """What is in containers that go and in no others."""
        for link in CONTAINMENT:
            assert link.link is not None  # noqa: S101 - by declaration
            parent, child = link.link.parent, link.link.child
            holders: dict[int, set[int]] = defaultdict(set)
            for one in self._facts.links[link.name].values():
                holders[one.child].add(one.parent)
            for held, parents in holders.items():
                through = parents & self.going[parent]
                if not through or held in self.going[child]:
                    continue
                owners = {self._facts.objects[parent][one].owner for one in through}
                elsewhere = f"also in another {parent}" if parents - through else ""
                self._take(child, held, owners, elsewhere)

    def filesets(self) -> None:
        """Filesets go with all their images.

        :raises AdminError: ``fileset-split``
        """
        images: dict[int, set[int]] = defaultdict(set)
        for image, fileset in self._facts.filesets.items():
            images[fileset].add(image)
        for fileset, members in sorted(images.items()):
            going = members & self.going["Image"]
            if not going:
                continue
            staying = {one for one in members - going if not self._is_there(self._facts.objects["Image"].get(one))}
            if staying:
                raise conflict(
                    "fileset-split",
                    f"Fileset:{fileset} can't be split: {_named('Image', going)} would go and"
                    f" {_named('Image', staying)} would stay; name Fileset:{fileset} or all its images",
                )
            self.going["Fileset"].add(fileset)

    def parts(self) -> None:
        """What exists only with what goes, and what nothing else uses."""
        owners = {self._facts.objects[name][one].owner for name in ("Image", "Fileset") for one in self.going[name]}
        for part in PARTS:
            wholes = self.going[part.whole]
            for one, (whole, owner) in self._facts.parts.get(part.name, {}).items():
                # Others' regions of interest stay theirs when an image is given away.
                if whole in wholes and (self._wish.operation is not Operation.CHOWN or owner in owners):
                    self.going[part.name].add(one)
        for used in dict.fromkeys(use.used for use in USES if use.follows and use.used != "OriginalFile"):
            for one, users in self._facts.uses.get(used, {}).items():
                if users and all(user in self.going[name] for name, user in users):
                    self.going[used].add(one)
        for one, (job, _) in self._facts.parts.get("JobOriginalFileLink", {}).items():
            if job in self.going["Job"]:
                self.going["JobOriginalFileLink"].add(one)

    def annotations_and_files(self) -> None:
        """Annotations and their files, until nothing more follows."""
        parents: dict[int, set[tuple[str, int]]] = defaultdict(set)
        for link in ANNOTATION_LINKS:
            assert link.link is not None  # noqa: S101 - by declaration
            for one in self._facts.links.get(link.name, {}).values():
                parents[one.child].add((link.link.parent, one.parent))
        pending = set(parents) - self.going["Annotation"]
        changed = True
        while changed:
            changed = self._files()
            for annotation in list(pending):
                through = {one for one in parents[annotation] if one[1] in self.going[one[0]]}
                if through and self._take_annotation(annotation, parents[annotation], through):
                    pending.discard(annotation)
                    changed = True

    def check_files(self) -> None:
        """Files that were named must not be needed by what stays.

        :raises AdminError: ``file-in-use``
        """
        if self._wish.operation is Operation.CHOWN:
            return
        for file in sorted(self._facts.targets.get("OriginalFile", ())):
            users = self._facts.uses["OriginalFile"].get(file, set())
            for name, user in sorted(users):
                if user not in self.going[name] and name != "JobOriginalFileLink":
                    what = "a FilesetEntry" if name == "FilesetEntry" else f"{name}:{user}"
                    raise conflict(
                        "file-in-use",
                        f"OriginalFile:{file} belongs to {what}, which stays; name its fileset, its images or what"
                        " uses it",
                    )

    def _files(self) -> bool:
        """Files that only what goes uses."""
        found = False
        for file, users in self._facts.uses.get("OriginalFile", {}).items():
            if file in self.going["OriginalFile"] or not users:
                continue
            whose = self._facts.objects["OriginalFile"].get(file)
            if whose is None or not all(user in self.going[name] for name, user in users) or self._is_there(whose):
                continue
            if "OriginalFile" in self._wish.exclude:
                self.kept["OriginalFile", file] = _EXCLUDED
            elif not self._may_take(whose):
                self.kept["OriginalFile", file] = _OTHERS
            else:
                self.going["OriginalFile"].add(file)
                found = True
        return found

    def _take_annotation(self, annotation: int, parents: set[tuple[str, int]], through: set[tuple[str, int]]) -> bool:
        whose = self._facts.objects["Annotation"].get(annotation)
        if whose is None or self._is_there(whose):
            return False
        kind = kind_of(self._facts, "Annotation", annotation)
        included = kind in self._wish.include
        owners = {self._owner(*one) for one in through}
        reason = ""
        if kind in self._wish.exclude:
            reason = _EXCLUDED
        elif not included and len(through) < len(parents):
            reason = "also linked to something else"
        elif not included:
            reason = self._why_annotation_stays(annotation, kind, whose, owners, {name for name, _ in through})
        if not reason and not self._may_take_annotation(whose):
            reason = _OTHERS
        if reason:
            self.kept["Annotation", annotation] = reason
            return False
        self.kept.pop(("Annotation", annotation), None)
        self.going["Annotation"].add(annotation)
        return True

    def _why_annotation_stays(
        self, annotation: int, kind: str, whose: Whose, owners: set[int], parents: set[str]
    ) -> str:
        """Each operation's own rule for annotations that nothing else is linked to; empty: it goes."""
        if kind in self._wish.followed:
            return ""
        match self._wish.operation:
            case Operation.DELETE:
                return "kept unless it is included" if kind in KEPT_ANNOTATIONS else ""
            case Operation.CHGRP:
                where = self._wish.destination
                if where is not None and where.level in (Level.PRIVATE, Level.READ_ONLY) and whose.owner not in owners:
                    return _OTHERS
                return self._why_file_stays(annotation)
            case Operation.CHOWN:
                # What is said of a fileset is how it was imported, and nobody's opinion.
                shares = level_of(self._facts.levels[whose.group]) in (Level.READ_ANNOTATE, Level.READ_WRITE)
                if shares and parents != {"Fileset"}:
                    return "stays with whoever made it unless it is included"
                return "" if whose.owner in owners else _OTHERS

    def _why_file_stays(self, annotation: int) -> str:
        """A file can't be in two groups."""
        file = self._facts.files.get(annotation)
        users = self._facts.uses["OriginalFile"].get(file, set()) if file is not None else set()
        others = {(name, user) for name, user in users if user not in self.going[name]} - {("Annotation", annotation)}
        return "its file is used by something else" if others else ""

    def _take(self, name: str, object_id: int, owners: set[int], elsewhere: str) -> None:
        whose = self._facts.objects[name].get(object_id)
        if name in self._wish.exclude:
            self.kept[name, object_id] = _EXCLUDED
        elif whose is None or self._is_there(whose):
            return
        elif not self._follows(whose, owners):
            self.kept[name, object_id] = _OTHERS
        elif elsewhere and name not in self._wish.include:
            self.kept[name, object_id] = elsewhere
        else:
            self.going[name].add(object_id)

    def _follows(self, whose: Whose, owners: set[int]) -> bool:
        """Whether something may go with its container; who asks what is below something asks for others' as well."""
        return self._wish.actor is None or (whose.owner in owners and self._may_take(whose))

    def _owner(self, name: str, object_id: int) -> int:
        whose = self._facts.objects.get(name, {}).get(object_id)
        return whose.owner if whose is not None else self._facts.parts[name][object_id][1]

    def _is_there(self, whose: Whose | None) -> bool:
        where = self._wish.destination
        if whose is None or where is None:
            return False
        return where.id == (whose.group if self._wish.operation is Operation.CHGRP else whose.owner)

    def _may_take_annotation(self, whose: Whose) -> bool:
        deletes = self._wish.operation is Operation.DELETE
        return self._may(Action.REMOVE_ANNOTATIONS if deletes else self._wish.operation.action, whose)

    def _may_take(self, whose: Whose) -> bool:
        return self._may(self._wish.operation.action, whose) and taker_may_have(self._wish, whose.group)

    def _may(self, action: Action, whose: Whose) -> bool:
        if self._wish.actor is None:
            return True
        if (action, whose) not in self._answers:
            self._answers[action, whose] = may(self._wish.actor, action, self._holding(whose))
        return self._answers[action, whose]

    def _require(self, action: Action, what: str, whose: Whose) -> None:
        if self._wish.actor is not None and not self._may(action, whose):
            require(self._wish.actor, action, what, self._holding(whose))
        if not taker_may_have(self._wish, whose.group):
            raise denied(f"you may not {action} {what}: the new owner is not a member of its group")

    def _holding(self, whose: Whose) -> Holding:
        return Holding(whose.owner, whose.group, self._facts.levels[whose.group])


def taker_may_have(wish: Wish, group: int) -> bool:
    """Whether a new owner is a member of a group; that is up to administrators who may change owners (manual, 1.2)."""
    if wish.operation is not Operation.CHOWN or wish.actor is None or wish.destination is None:
        return True
    return wish.operation.privilege in wish.actor.privileges or group in wish.destination.members


def _named(name: str, ids: Iterable[int]) -> str:
    ordered = sorted(ids)
    more = f" and {len(ordered) - _MOST_NAMED} more" if len(ordered) > _MOST_NAMED else ""
    return ", ".join(f"{name}:{one}" for one in ordered[:_MOST_NAMED]) + more

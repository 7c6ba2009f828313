"""What an import leaves beside its own rows: links to its target, annotations, plates, and how its files came."""

from __future__ import annotations

from collections.abc import Sequence

from omeroadmin.repository.ome_xml import OmePlate
from omeroadmin.runtime.services.blitz.database import Connection, Ids, Row
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.holdings import holdings
from omeroadmin.runtime.services.blitz.services.importoptions import Comment, TargetId
from omeroadmin.runtime.services.blitz.services.importtargets import require_target
from omeroadmin.runtime.services.blitz.services.model.entity import Entity
from omeroadmin.runtime.services.blitz.services.model.lookup import entities_named, entity_named
from omeroadmin.runtime.services.blitz.services.permissions import Action, Holding, may, require
from omeroadmin.runtime.services.blitz.services.problems import conflict, not_found
from omeroadmin.schema.transfers import TRANSFER_NAMESPACE, Transfer

_DETAILS = "permissions, creation_id, update_id, group_id, owner_id"
_DETAIL_VALUES = "%(permissions)s, %(event_id)s, %(event_id)s, %(group_id)s, %(owner_id)s"
_INSERT_COMMENT = f"""
INSERT INTO annotation (id, discriminator, ns, textvalue, {_DETAILS})
VALUES (%(id)s, %(discriminator)s, %(ns)s, %(text)s, {_DETAIL_VALUES})
"""  # noqa: S608 - constants
_INSERT_PLATE = f"""
INSERT INTO plate (id, name, "rows", columns, {_DETAILS})
VALUES (%(id)s, %(name)s, %(rows)s, %(columns)s, {_DETAIL_VALUES})
"""  # noqa: S608 - constants


class Links:
    """Inserts in the transaction of an import.

    :param changes: the import's event
    :param ids: for the rows
    """

    def __init__(self, connection: Connection, actor: Actor, changes: Changes, ids: Ids) -> None:
        self._connection = connection
        self._ids = ids
        self._actor = actor
        self._changes = changes

    def target(self, target: TargetId | None, image_ids: Sequence[int], plate_ids: Sequence[int]) -> None:
        """Link the images to a dataset, or the plates to a screen.

        :raises AdminError: ``target-not-found``, ``permission-denied``, ``target-unsuitable`` where there is no plate
        """
        if target is None:
            return
        require_target(self._connection, self._actor, target)
        if target.kind == "Screen":
            if not plate_ids:
                raise conflict("target-unsuitable", f"Screen:{target.id} takes plates, and these files hold none")
            self.link("Screen", target.id, "Plate", plate_ids)
        else:
            self.link("Dataset", target.id, "Image", image_ids)

    def plates(self, plates: Sequence[OmePlate], otherwise: str) -> list[int]:
        """A row for each plate.

        :param otherwise: name of those that have none
        :return: their ids
        """
        ids = list(self._ids.take("plate", len(plates))) if plates else []
        for plate_id, plate in zip(ids, plates, strict=True):
            values = {"id": plate_id, "name": (plate.name or otherwise)[:255], "rows": plate.rows}
            self._connection.execute(_INSERT_PLATE, {**values, "columns": plate.columns, **self._changes.details()})
        self._changes.log("INSERT", "Plate", ids)
        return ids

    def transfer(self, transfer: Transfer, fileset_id: int) -> None:
        """Record how the files came, as OMERO does."""
        self.link_annotation("Fileset", [fileset_id], self._comment(Comment(TRANSFER_NAMESPACE, transfer.recorded_as)))

    def comments(self, comments: Sequence[Comment], image_ids: Sequence[int]) -> None:
        """A comment for all images."""
        for comment in comments:
            self.link_annotation("Image", image_ids, self._comment(comment))

    def annotations(self, annotation_ids: Sequence[int], image_ids: Sequence[int]) -> None:
        """Link annotations that are there already to all images; they stay as they are until the import's end.

        :raises AdminError: ``not-found``, ``group-mismatch``, ``permission-denied``
        """
        found: dict[int, Holding] = {}
        for entity in entities_named("Annotation") if annotation_ids else ():
            found |= holdings(self._connection, entity, annotation_ids, lock="SHARE")
        for annotation_id in annotation_ids:
            holding = found.get(annotation_id)
            if holding is None or not may(self._actor, Action.VIEW, holding):
                raise not_found("Annotation", annotation_id)
            what, group = f"Annotation:{annotation_id}", self._actor.group
            if holding.group_id != group.group_id:
                raise conflict("group-mismatch", f"{what} is in another group than {group.name}, which is imported to")
            require(self._actor, Action.ANNOTATE, what, holding)
            self.link_annotation("Image", image_ids, annotation_id)

    def link_annotation(self, parent: str, parent_ids: Sequence[int], annotation_id: int) -> None:
        """Link an annotation to several objects of one type."""
        self._insert(entity_named(f"{parent}AnnotationLink"), [(parent_id, annotation_id) for parent_id in parent_ids])

    def link(self, parent: str, parent_id: int, child: str, child_ids: Sequence[int]) -> None:
        """Link several objects of one type to a container."""
        self._insert(entity_named(f"{parent}{child}Link"), [(parent_id, child_id) for child_id in child_ids])

    def _comment(self, comment: Comment) -> int:
        entity = entity_named("CommentAnnotation")
        annotation_id = self._ids.one("annotation")
        values: Row = {"id": annotation_id, "discriminator": entity.discriminator, "ns": comment.namespace or None}
        self._connection.execute(_INSERT_COMMENT, {**values, "text": comment.text, **self._changes.details()})
        self._changes.log("INSERT", entity.name, [annotation_id])
        return annotation_id

    def _insert(self, entity: Entity, pairs: Sequence[tuple[int, int]]) -> None:
        ids = self._ids.take(entity.table, len(pairs))
        statement = (
            f"INSERT INTO {entity.table} (id, parent, child, {_DETAILS})"  # noqa: S608 - of the declared model
            f" VALUES (%(id)s, %(parent)s, %(child)s, {_DETAIL_VALUES}) ON CONFLICT DO NOTHING"
        )
        details = self._changes.details()
        with self._connection.cursor() as cursor:
            cursor.executemany(
                statement.encode(),
                [
                    {"id": link_id, "parent": parent, "child": child, **details}
                    for link_id, (parent, child) in zip(ids, pairs, strict=True)
                ],
            )
        self._changes.log("INSERT", entity.name, list(ids))

"""What the model declares is what the database has."""

from __future__ import annotations

from omeroadmin.runtime.services.blitz.services.model.declared import ANNOTATED, ENTITIES
from omeroadmin.runtime.services.blitz.services.model.lookup import (
    entities_named,
    entity_named,
    entity_of_annotation,
    links_from,
    links_to,
)
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from tests.support.liveserver import LiveServer


def test_tables_and_columns(live_server: LiveServer) -> None:
    rows = live_server.sql("SELECT table_name, column_name FROM information_schema.columns")
    present = {(str(table), str(column)) for table, column in rows}
    wanted = {(entity.table, "id") for entity in ENTITIES.values()}
    wanted |= {(entity.table, column.column) for entity in ENTITIES.values() for column in entity.columns}
    wanted |= {
        (entity.table, name) for entity in ENTITIES.values() if entity.owned for name in ("owner_id", "group_id")
    }
    wanted |= {(each.table, each.key) for entity in ENTITIES.values() for each in entity.maps}
    assert wanted - present == set()
    assert len(wanted) > 100


def test_references_are_foreign_keys(live_server: LiveServer) -> None:
    rows = live_server.sql(
        "SELECT conrelid::regclass::text, a.attname, confrelid::regclass::text FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1] WHERE contype = 'f'"
    )
    present = set(rows)
    for entity in ENTITIES.values():
        for column in entity.columns:
            if column.target and column.target in ENTITIES:
                assert (entity.table, column.column, ENTITIES[column.target].table) in present
            elif column.target == "Annotation":
                assert (entity.table, column.column, "annotation") in present
            elif column.target:
                assert (entity.table, column.column, column.target) in present


def test_privileges(live_server: LiveServer) -> None:
    assert {value for (value,) in live_server.sql("SELECT value FROM adminprivilege")} == set(Privilege)


def test_names() -> None:
    assert entity_named("datasetimagelink").name == "DatasetImageLink"
    assert {entity.name for entity in entities_named("TextAnnotation")} == {
        "TagAnnotation",
        "CommentAnnotation",
        "XmlAnnotation",
    }
    assert {link.name for link in links_from(entity_named("Dataset"))} == {"DatasetImageLink", "DatasetAnnotationLink"}
    tag = entity_of_annotation("/basic/text/tag/")
    assert tag.name == "TagAnnotation"
    assert {link.name for link in links_to(tag)} == {f"{parent}AnnotationLink" for parent in ANNOTATED}
    assert ENTITIES["TagAnnotation"].class_name == "ome.model.annotations.TagAnnotation"

"""Operations of the API: what is declared is complete, checked as declared, and described."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import jsonschema
import psycopg
import pytest
from starlette.responses import Response

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.http.calls import Call, nothing
from omeroadmin.runtime.services.blitz.http.description import describe, shared
from omeroadmin.runtime.services.blitz.http.failures import STATUSES, guarded
from omeroadmin.runtime.services.blitz.http.forms import FLAG, ID, REAL, TEXT, WHOLE, default, maybe, named, one_of
from omeroadmin.runtime.services.blitz.http.operation import Operation, Parameter
from omeroadmin.runtime.services.blitz.http.routes import INTERNAL, PUBLIC
from omeroadmin.runtime.services.blitz.http.validation import Validator
from omeroadmin.schema.forms import Form, array, number, record

ALL = (*PUBLIC, *INTERNAL)


def handler(_: Call) -> Response:
    return nothing()


def taking(*parameters: Parameter, body: Form | None = None, path: str = "/x/{id}") -> Validator:
    return Validator(Operation("x", "POST", path, handler, "X.", body=body, parameters=parameters))


def refused(run: Any, *given: Any) -> str:
    with pytest.raises(AdminError) as caught:
        run(*given)
    assert caught.value.code == "request-invalid"
    return caught.value.message


def test_ids_of_operations_are_unique() -> None:
    assert [name for name, number in Counter(operation.id for operation in ALL).items() if number > 1] == []


@pytest.mark.parametrize("operation", ALL, ids=lambda operation: operation.id)
def test_declarations_are_complete(operation: Operation) -> None:
    assert operation.summary.endswith((".", "…"))
    assert set(operation.codes) <= set(STATUSES)
    assert {parameter.name for parameter in operation.parameters if parameter.name in operation.in_path} <= set(
        operation.in_path
    )
    for form in (operation.body, operation.answer, *(parameter.form for parameter in operation.parameters)):
        if isinstance(form, dict):
            jsonschema.Draft202012Validator.check_schema(form)
            jsonschema.Draft7Validator.check_schema(form)


@pytest.mark.parametrize("error", [psycopg.errors.DeadlockDetected(), psycopg.errors.SerializationFailure()])
def test_a_change_that_met_another_is_a_conflict_and_no_failure_of_the_database(error: psycopg.Error) -> None:
    async def serve() -> Response:
        raise error

    operation = next(one for one in PUBLIC if one.id == "submitJob")
    answer = asyncio.run(guarded(operation, serve))
    assert (answer.status_code, json.loads(bytes(answer.body))["error"]["code"]) == (409, "changed-meanwhile")
    assert "changed-meanwhile" in operation.codes


def test_a_path_has_its_parameters() -> None:
    validator = taking()
    assert validator.path({"id": "12"}) == {"id": 12}
    assert "id must be integer" in refused(validator.path, {"id": "twelve"})
    for text in ("-1", str(2**63), "1" * 30, "1.5", "١"):
        refused(validator.path, {"id": text})


def test_a_query_is_converted_and_has_defaults() -> None:
    validator = taking(
        Parameter("limit", default(number(1, 10), 5)),
        Parameter("all", FLAG),
        Parameter("factor", REAL),
        Parameter("group", array(ID)),
        Parameter("name", TEXT, needed=True),
    )
    given = [("name", "12"), ("all", "true"), ("group", "1"), ("group", "2"), ("factor", "-1.5e3")]
    assert validator.query(given) == {"limit": 5, "all": True, "factor": -1500.0, "group": [1, 2], "name": "12"}
    assert validator.query([("name", "")]) == {"limit": 5, "all": None, "factor": None, "group": None, "name": ""}
    assert "limit must be" in refused(validator.query, [("name", ""), ("limit", "11")])
    assert "name" in refused(validator.query, [])
    assert "more than once" in refused(validator.query, [("name", "a"), ("name", "b")])
    assert "no parameter 'nmae'" in refused(validator.query, [("name", "a"), ("nmae", "b")])
    refused(validator.query, [("name", "a\0b")])
    refused(validator.query, [("name", "a"), ("all", "yes")])


def test_a_body_is_checked_and_has_defaults() -> None:
    form = record({"size": WHOLE}, {"names": default(array(TEXT), []), "kind": default(maybe(one_of("a", "b")), None)})
    validator = taking(body=form)
    assert validator.body(b'{"size": 3}') == {"size": 3, "names": [], "kind": None}
    assert validator.body(b'{"size": 3, "kind": "b", "names": ["x"]}') == {"size": 3, "names": ["x"], "kind": "b"}
    assert "body.size must be" in refused(validator.body, b'{"size": -1}')
    assert "body.names[0] must be string" in refused(validator.body, b'{"size": 1, "names": [1]}')
    for content in (b"", b"{", b"[]", b"null", b'{"size": true}', b'{"size": 1, "more": 1}', b'{"size": NaN}', b"\xff"):
        refused(validator.body, content)


def test_whole_numbers_may_be_written_with_a_point() -> None:
    form = record({"size": WHOLE, "sizes": array(WHOLE), "inner": record({"id": maybe(ID)}), "factor": REAL})
    found = taking(body=form).body(b'{"size": 3.0, "sizes": [1.0, 2], "inner": {"id": 1e2}, "factor": 1.0}')
    assert found == {"size": 3, "sizes": [1, 2], "inner": {"id": 100}, "factor": 1.0}
    assert [type(value) for value in (found["size"], found["sizes"][0], found["inner"]["id"], found["factor"])] == [
        int,
        int,
        int,
        float,
    ]


@pytest.mark.parametrize("text", ["\0", "\ud800", "a\udfffb"])
def test_texts_that_no_database_stores_are_refused(text: str) -> None:
    validator = taking(body=record({"x": {}}))
    for document in ({"x": text}, {"x": [{"y": text}]}, {"x": {text: 1}}):
        refused(validator.body, json.dumps(document).encode())
    assert validator.body(json.dumps({"x": "\\u0000 😀"}).encode()) == {"x": "\\u0000 😀"}


def test_named_forms_are_shared() -> None:
    schemas: dict[str, Form] = {}
    point = named("Point", record({"title": TEXT, "x": WHOLE}))
    assert shared(array(point), schemas)["items"] == {"$ref": "#/components/schemas/Point"}
    assert set(schemas["Point"]["properties"]) == {"title", "x"}
    with pytest.raises(ValueError, match="two different forms called Point"):
        shared(named("Point", record({})), schemas)


def test_the_description_has_all_operations() -> None:
    document = describe(PUBLIC, "1")
    described = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert described == {(operation.method.lower(), operation.path) for operation in PUBLIC}
    text = json.dumps(document)
    assert all(f"#/components/schemas/{name}" in text for name in document["components"]["schemas"])

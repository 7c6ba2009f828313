"""The API's description in OpenAPI 3.1, made from its operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from omeroadmin.runtime.services.blitz.http.failures import STATUSES
from omeroadmin.runtime.services.blitz.http.forms import TEXT, named, one_of
from omeroadmin.runtime.services.blitz.http.operation import Bytes, Operation, Parameter
from omeroadmin.schema.forms import Form, record

_ABOUT = (
    'The API of the reference server. Errors are `{"error": {"code", "message"}}`; ids are integers, times are '
    "milliseconds since 1970 UTC. A session key is sent as `Authorization: Bearer KEY`."
)
_JSON = "application/json"
_WORDS = {
    200: "Done.",
    201: "Made.",
    202: "Accepted.",
    204: "Done; nothing comes back.",
    206: "A part of the bytes, as the header Range asks.",
    416: "The header Range asks for what isn't there.",
}


def describe(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The whole description.

    :param version: of the software
    """
    schemas: dict[str, Form] = {}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "omeroadmin", "version": version, "description": _ABOUT},
        "servers": [{"url": "/api/v0"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"session": {"type": "http", "scheme": "bearer", "description": "A session key."}},
        },
    }


def _operation(operation: Operation, schemas: dict[str, Form]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.path.split("/")[1]],
        "summary": operation.summary,
        "security": [{"session": []}] if operation.session else [],
        "parameters": [*_in_path(operation, schemas), *_in_query(operation, schemas)],
    }
    if operation.body is not None:
        document["requestBody"] = {"required": True, "content": _content(operation.body, schemas)}
    document["responses"] = _responses(operation, schemas)
    return document


def _in_path(operation: Operation, schemas: dict[str, Form]) -> Iterable[dict[str, Any]]:
    summaries = {parameter.name: parameter.summary for parameter in operation.parameters}
    for name in operation.in_path:
        yield _parameter(Parameter(name, operation.form_of(name), summaries.get(name, ""), True), "path", schemas)


def _in_query(operation: Operation, schemas: dict[str, Form]) -> Iterable[dict[str, Any]]:
    for parameter in operation.in_query:
        yield _parameter(parameter, "query", schemas)


def _parameter(parameter: Parameter, place: str, schemas: dict[str, Form]) -> dict[str, Any]:
    document = {
        "name": parameter.name,
        "in": place,
        "required": parameter.needed,
        "schema": shared(parameter.form, schemas),
    }
    return {**document, "description": parameter.summary} if parameter.summary else document


def _content(form: Form | Bytes, schemas: dict[str, Form]) -> dict[str, Any]:
    return {form.media_type: {}} if isinstance(form, Bytes) else {_JSON: {"schema": shared(form, schemas)}}


def _responses(operation: Operation, schemas: dict[str, Form]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": _WORDS[operation.success]}
    if operation.answer is not None:
        success["content"] = _content(operation.answer, schemas)
    responses = {str(operation.success): success}
    if isinstance(operation.answer, Bytes) and operation.answer.parts:
        responses |= {"206": {**success, "description": _WORDS[206]}, "416": {"description": _WORDS[416]}}
    by_status: dict[int, list[str]] = {}
    for code in operation.codes:
        by_status.setdefault(STATUSES[code], []).append(code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = {"description": ", ".join(codes), "content": _content(_problem(codes), schemas)}
    return responses


def _problem(codes: list[str]) -> Form:
    codes = sorted(codes)
    form = record({"error": record({"code": one_of(*codes), "message": TEXT})})
    return named(f"Problem-{'-or-'.join(codes)}", form)


def shared(form: Form, schemas: dict[str, Form]) -> Form:
    """A form in which those with a title are references to the schemas that all operations share.

    :raises ValueError: if two different forms have one title
    """
    inner = {name: _inner(value, schemas) for name, value in form.items()}
    title = inner.pop("title", None)
    if title is None:
        return inner
    if schemas.setdefault(title, inner) != inner:
        raise ValueError(f"there are two different forms called {title}")
    return {"$ref": f"#/components/schemas/{title}"}


def _inner(value: Any, schemas: dict[str, Form]) -> Any:
    if isinstance(value, dict):
        return _members(value, schemas)
    if isinstance(value, list):
        return [shared(item, schemas) if isinstance(item, dict) else item for item in value]
    return value


def _members(value: dict[str, Any], schemas: dict[str, Form]) -> Any:
    """A form inside a form, or the table of the properties: a property may be called title, whose value is a form."""
    if isinstance(value.get("title"), str) or not all(isinstance(item, dict) for item in value.values()):
        return shared(value, schemas)
    return {name: shared(item, schemas) for name, item in value.items()}

"""Routes of objects: made, read, found and changed by type."""

from __future__ import annotations

from dataclasses import asdict

from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call, answer
from omeroadmin.runtime.services.blitz.http.forms import (
    FLAG,
    ID,
    REAL,
    TEXT,
    TIME,
    WHOLE,
    default,
    few,
    maybe,
    named,
    one_of,
    words,
)
from omeroadmin.runtime.services.blitz.http.operation import Operation, Parameter
from omeroadmin.runtime.services.blitz.services.objects.listing import ORDERS, Filters
from omeroadmin.runtime.services.blitz.services.objects.values import Reference, parse_reference
from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.schema.forms import array, either, number, record, table

_MOST_OFFSET = 10**9


def create(call: Call) -> Response:
    """``POST /objects/TYPE``."""
    body = call.body
    made = call.blitz.objects.create(call.actor, call.path["type"], body["fields"], body["maps"], body.get("group"))
    return answer(asdict(made), 201)


def get(call: Call) -> Response:
    """``GET /objects/TYPE/ID``."""
    return answer(asdict(call.blitz.objects.get(call.actor, call.path["type"], call.path["id"])))


def find(call: Call) -> Response:
    """``GET /objects/TYPE?name=…&owner=…&group=…&parent=…&child=…&where=…&order=…&offset=N&limit=N``."""
    query = call.query
    page = call.blitz.objects.find(
        call.actor,
        call.path["type"],
        _filters(call),
        order=query["order"],
        offset=query["offset"],
        limit=query["limit"],
    )
    return answer({"objects": [asdict(one) for one in page.objects], "next": page.next})


def update(call: Call) -> Response:
    """``PATCH /objects/TYPE/ID``."""
    body = call.body
    changed = call.blitz.objects.update(
        call.actor, call.path["type"], call.path["id"], body["fields"], body.get("version")
    )
    return answer(asdict(changed))


def pairs(call: Call) -> Response:
    """``GET /objects/TYPE/ID/maps/NAME``."""
    return answer({"pairs": call.blitz.objects.pairs(call.actor, *_map(call))})


def replace_pairs(call: Call) -> Response:
    """``PUT /objects/TYPE/ID/maps/NAME``."""
    return answer({"pairs": call.blitz.objects.replace_pairs(call.actor, *_map(call), call.body["pairs"])})


def set_pair(call: Call) -> Response:
    """``PATCH /objects/TYPE/ID/maps/NAME``."""
    body = call.body
    return answer({"pairs": call.blitz.objects.set_pair(call.actor, *_map(call), body["key"], body["value"])})


def members(call: Call) -> Response:
    """``GET /objects/TYPE/ID/lists/NAME``."""
    return answer({"items": call.blitz.objects.members(call.actor, *_map(call))})


def _map(call: Call) -> tuple[str, int, str]:
    return call.path["type"], call.path["id"], call.path["name"]


def _filters(call: Call) -> Filters:
    query = call.query
    fields = {} if query["name"] is None else {"name": query["name"]}
    for condition in query["where"]:
        name, equals, value = condition.partition("=")
        if not equals:
            raise invalid(f"where={condition[:80]} is not where=PROPERTY=VALUE")
        fields[name] = value
    return Filters(
        fields,
        query["owner"] or "",
        query["group"] or "",
        _reference(query["parent"], "parent"),
        _reference(query["child"], "child"),
    )


def _reference(text: str | None, what: str) -> Reference | None:
    return None if text is None else parse_reference(text, what)


_VALUE = either({"type": "string"}, {"type": "integer"}, REAL, FLAG, {"type": "null"})
_PAIRS = array(few(TEXT, 2, fewest=2))
_DETAILS = named(
    "Details",
    record(
        {
            "owner_id": ID,
            "owner": TEXT,
            "group_id": ID,
            "group": TEXT,
            "permissions": TEXT,
            "created": TIME,
            "updated": TIME,
        }
    ),
)
_OBJECT = named(
    "Object",
    record(
        {
            "type": TEXT,
            "id": ID,
            "version": WHOLE,
            "fields": table(_VALUE),
            "maps": table(_PAIRS),
            "details": either(_DETAILS, {"type": "null"}),
        }
    ),
)
_TYPE = Parameter("type", words(60, fewest=1), "OMERO's type, e.g. Dataset; Annotation stands for all its kinds.")
_MAP = Parameter("name", words(60, fewest=1), "OMERO's name of the property, e.g. mapValue.")
_LIST = Parameter("name", words(60, fewest=1), "OMERO's name of the list, e.g. imageLinks.")
_REFERENCE = words(100, fewest=1)
_FILTERS = (
    Parameter("name", words(255), "Only those of this name."),
    Parameter("owner", words(255), "Only those of this user: id or name."),
    Parameter("group", words(255), "Only those in this group: id or name."),
    Parameter("parent", _REFERENCE, "Only those linked from, or part of, this object: Project:51."),
    Parameter("child", _REFERENCE, "Only those that this object is linked from: Image:51."),
    Parameter("where", default(few(words(300), 10), []), "Only those with this value: PROPERTY=VALUE."),
    Parameter("order", default(one_of(*ORDERS), "id"), "Order; - is the reverse."),
    Parameter("offset", default(number(0, _MOST_OFFSET), 0), "How many to pass over."),
    Parameter("limit", default(number(1, 1000), 100), "How many at most."),
)
_PAIRS_ANSWER = record({"pairs": _PAIRS})

OPERATIONS = (
    Operation(
        "createObject",
        "POST",
        "/objects/{type}",
        create,
        "Make an object; it belongs to whoever makes it.",
        _OBJECT,
        parameters=(_TYPE,),
        body=record({}, {"fields": default(table(_VALUE), {}), "maps": default(table(_PAIRS), {}), "group": ID}),
        status=201,
        errors=("group-mismatch", "link-exists"),
    ),
    Operation(
        "findObjects",
        "GET",
        "/objects/{type}",
        find,
        "Objects of a type.",
        record({"objects": array(_OBJECT), "next": maybe(WHOLE)}),
        parameters=(_TYPE, *_FILTERS),
    ),
    Operation("getObject", "GET", "/objects/{type}/{id}", get, "One object.", _OBJECT, parameters=(_TYPE,)),
    Operation(
        "updateObject",
        "PATCH",
        "/objects/{type}/{id}",
        update,
        "Change properties of an object; null makes one empty.",
        _OBJECT,
        parameters=(_TYPE,),
        body=record({"fields": table(_VALUE)}, {"version": WHOLE}),
        errors=("group-mismatch", "name-taken", "role-protected", "version-conflict"),
    ),
    Operation(
        "getPairs",
        "GET",
        "/objects/{type}/{id}/maps/{name}",
        pairs,
        "A property that is a list of pairs.",
        _PAIRS_ANSWER,
        parameters=(_TYPE, _MAP),
    ),
    Operation(
        "replacePairs",
        "PUT",
        "/objects/{type}/{id}/maps/{name}",
        replace_pairs,
        "Change a property of pairs as a whole.",
        _PAIRS_ANSWER,
        parameters=(_TYPE, _MAP),
        body=record({"pairs": _PAIRS}),
        errors=("role-protected",),
    ),
    Operation(
        "setPair",
        "PATCH",
        "/objects/{type}/{id}/maps/{name}",
        set_pair,
        "Change the first pair of a name, or add it; null takes all pairs of the name away.",
        _PAIRS_ANSWER,
        parameters=(_TYPE, _MAP),
        body=record({"key": TEXT, "value": maybe(TEXT)}),
        errors=("role-protected",),
    ),
    Operation(
        "listMembers",
        "GET",
        "/objects/{type}/{id}/lists/{name}",
        members,
        "What refers to an object: its links and parts, as Type:id.",
        record({"items": array(TEXT)}),
        parameters=(_TYPE, _LIST),
    ),
)

"""What a playbook may look like."""

from __future__ import annotations

from omeroadmin.provisioning.inventory_shape import RESERVED_VARIABLES, VARIABLE
from omeroadmin.provisioning.playbook import VariableType
from omeroadmin.schema.kinds import BOOL, enum, text_like, whole
from omeroadmin.schema.shapes import Anything, Items, Key, Record, Scalar, Table

_NAME = text_like(r"[a-z0-9][a-z0-9-]*", "a name: small letters, digits and '-'")
_WORDS = text_like(r"[^\x00-\x1f]+", "a line of text")
_TEXT = text_like(r"(?s).+", "a text")
_NAMES = Items(Scalar(_NAME), single=True)
EXPRESSION = Scalar(_TEXT)
"""Jinja2, without braces."""
CONDITIONS = Items(EXPRESSION, single=True)

ENTRY = {
    "name": Key(Scalar(_WORDS), description="What it is for, in a few words."),
    "when": Key(CONDITIONS, description="An expression, or several: only where all are true."),
    "tags": Key(_NAMES, description="For `--tags` and `--skip-tags`; those of the stage hold as well."),
    "for_each": Key(
        Anything(), description="A list, or a map: the operation is done for each `item` (`item.key`, `item.value`)."
    ),
    "triggers": Key(_NAMES, description="Operations below that run if this one changes something."),
    "id": Key(Scalar(_NAME), description="A name for `triggers`; it runs only when triggered."),
}
"""Keys that every operation may have beside the one that says what it is."""
STAGE_SHAPE = Record({
    "stage": Key(Scalar(_NAME), required=True, description="Its name."),
    "tags": Key(_NAMES, description="For all its operations."),
    "when": Key(CONDITIONS, description="As for operations."),
    "on_failure": Key(
        Scalar(enum("stop", "undo")),
        description="`undo`: a failure in it takes back what the run changed in stages that say so.",
    ),
    "operations": Key(Items(Record({}, others=Anything()), fewest=1), required=True, description="In their order."),
})  # fmt: skip
VARIABLE_SHAPE = Record({
    "type": Key(Scalar(enum(*VariableType)), description="What it holds; text by default."),
    "default": Key(Anything(), description="Where the inventory says nothing; may use variables above it."),
    "description": Key(Scalar(_TEXT), description="One sentence; every variable has one."),
    "secret": Key(Scalar(BOOL), description="Whether its value is never shown."),
    "required": Key(Scalar(BOOL), description="Whether the inventory must give it a value."),
    "same_as": Key(
        Scalar(_WORDS), description="A playbook beside this one that declares it; then there are no other keys."
    ),
})  # fmt: skip
VARIABLES = Table(
    VARIABLE_SHAPE,
    name=rf"(?!(?:{'|'.join(RESERVED_VARIABLES)})$){VARIABLE}",
    name_words=f"a variable: letters, digits and '_', but not {', '.join(RESERVED_VARIABLES)}",
)
REQUIREMENT_SHAPE = Record({
    "that": Key(EXPRESSION, required=True, description="An expression that must be true of a host."),
    "message": Key(Scalar(_WORDS), required=True, description="What is wrong otherwise."),
})  # fmt: skip
_HEAD = {
    "playbook": Key(Scalar(_NAME), required=True, description="Its name."),
    "title": Key(Scalar(_WORDS), required=True, description="A few words."),
    "description": Key(Scalar(_TEXT), description="What it does."),
}
PLAYBOOK = Record({
    **_HEAD,
    "hosts": Key(
        Scalar(_WORDS), required=True, description="The hosts it is for: groups and names, as for `--limit`."
    ),
    "serial": Key(Scalar(whole(1, 10_000)), description="So many hosts at a time; all by default."),
    "variables": Key(
        VARIABLES,
        description="What it can be told, by name.",
    ),
    "requires": Key(Items(REQUIREMENT_SHAPE), description="Checked on every host before anything is done there."),
    "stages": Key(Items(STAGE_SHAPE, fewest=1), required=True, description="In their order."),
})  # fmt: skip
PLAYBOOK_LIST = Record({
    **_HEAD,
    "playbooks": Key(
        Items(Scalar(_WORDS), fewest=1),
        required=True,
        description="Files beside this one, carried out one after the other.",
    ),
})  # fmt: skip

"""The catalog as a JSON Schema of configuration files, with which editors check and complete them."""

from __future__ import annotations

import json
from typing import Any

from omeroadmin.schema.catalog import settings
from omeroadmin.schema.families import FAMILIES
from omeroadmin.schema.kinds import Kind
from omeroadmin.schema.setting import Setting
from omeroadmin.schema.values.forms import escaped, json_schema
from omeroadmin.schema.values.words import wording

_SCALAR = {"type": ["string", "number", "boolean", "array", "object"]}


def configuration_schema() -> dict[str, Any]:
    """Schema of a file for ``omero config apply``: an object from names of properties to values.

    :return: a schema of draft 2020-12; names of OMERO's and Ice's that nobody declares don't fit, all others do
    """
    declared = settings().values()
    alone = {
        f"^{escaped(setting.name)}\\.({'|'.join(setting.services)})$": _property(setting)
        for setting in declared
        if setting.services
    }
    families = {f"^{family.pattern}$": {"description": family.description, **_SCALAR} for family in FAMILIES}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "OMERO configuration",
        "description": "Properties of an OMERO server, as `omero config apply` takes them.",
        "type": "object",
        "properties": {setting.name: _property(setting) for setting in declared},
        "patternProperties": {**alone, **families, r"^(?!omero\.|Ice\.)": _SCALAR},
        "additionalProperties": False,
    }


def configuration_schema_text() -> str:
    """The schema as a file."""
    return json.dumps(configuration_schema(), indent=2, ensure_ascii=False) + "\n"


def _property(setting: Setting) -> dict[str, Any]:
    description = " ".join(part for part in (setting.description, f"Takes {wording(setting.type)}.") if part)
    form: dict[str, Any] = {"description": description, **json_schema(setting.type)}
    # An empty default may be none of the type: it says that there is no value.
    if not setting.has_no_default:
        form["default"] = _native(setting, setting.default)
    if setting.example:
        form["examples"] = [_native(setting, setting.example)]
    if setting.is_secret:
        form["writeOnly"] = True
    if setting.obsolete:
        form["deprecated"] = True
        form["description"] += f" Obsolete: {setting.obsolete}."
    return form


def _native(setting: Setting, text: str) -> Any:
    """A text as the boolean, number or JSON that it stands for."""
    lowered = text.strip().lower()
    match setting.kind:
        case Kind.BOOL if lowered in ("true", "false"):
            return lowered == "true"
        case Kind.INT | Kind.DURATION | Kind.PORT | Kind.BYTES if lowered.isascii() and lowered.isdigit():
            return int(lowered)
        case Kind.JSON if lowered[:1] in ("[", "{"):
            return json.loads(text)
    return text

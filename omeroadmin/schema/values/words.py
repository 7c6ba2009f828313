"""What a type of values is called, and values that serve as examples."""

from __future__ import annotations

from dataclasses import replace

from omeroadmin.schema.kinds import Kind, ValueType
from omeroadmin.schema.setting import Setting
from omeroadmin.schema.values.numbers import number_words

_FEW = 12
"""Words of an enumeration that fit in a sentence."""
_NAMES = {
    Kind.HOST: "a host name or IP address",
    Kind.PATH: "a path",
    Kind.CRON: "a cron expression of six or seven fields, seconds first",
    Kind.SECRET: "any text, which is kept secret",
    Kind.TEXT: "any text",
}
_EXAMPLES = {
    Kind.TEXT: "VALUE",
    Kind.SECRET: "VALUE",
    Kind.BOOL: "true",
    Kind.PATH: "/path/to/it",
    Kind.HOST: "omero.example.org",
    Kind.CRON: "0 0 3 * * ?",
    Kind.REGEX: "^/webclient/.*",
    Kind.LDAP_FILTER: "(objectClass=person)",
    Kind.TEMPLATE_PATH: "%user%_%userId%//%year%-%month%/%day%/%time%",
}
_JSON_EXAMPLES = ("[]", "{}", '["a"]', '[["a", "b"]]', '""', "0", "true", "null")


def wording(value_type: ValueType) -> str:
    """What values of a type are called, e.g. ``a whole number of ms, 0 or more``."""
    text = value_type.words or _wording(value_type)
    return f"{text}, or nothing" if value_type.optional else text


def _wording(value_type: ValueType) -> str:
    match value_type.kind:
        case Kind.INT | Kind.BYTES | Kind.DURATION | Kind.PORT:
            return number_words(value_type)
        case Kind.ENUM:
            return alternatives(value_type.choices)
        case Kind.URL if value_type.choices:
            return f"a URL that begins with {alternatives([f'{scheme}://' for scheme in value_type.choices])}"
        case Kind.LIST:
            return _list_wording(value_type)
        case Kind.JSON if value_type.form is not None:
            return f"JSON: {_form_wording(value_type.form.get('type'))}"
        case Kind.BOOL if value_type.choices:
            return alternatives([word for word in ("true", "false") if word in value_type.choices])
    return _NAMES.get(value_type.kind, value_type.kind.value)


def alternatives(words: list[str] | tuple[str, ...]) -> str:
    """``a, b or c``; of many only the first."""
    if len(words) > _FEW:
        return f"{', '.join(words[:_FEW])} or one of {len(words) - _FEW} others"
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else "".join(words)


def _list_wording(value_type: ValueType) -> str:
    between = {",": "commas", ";": "semicolons", "": "spaces", ":": "colons"}
    separator = between.get(value_type.separator.strip(), repr(value_type.separator))
    if value_type.choices:
        return f"some of {alternatives(value_type.choices).replace(' or ', ' and ')}, separated by {separator}"
    items = "" if value_type.items is None else f", each {wording(value_type.items)}"
    return f"a list separated by {separator}{items}"


def _form_wording(kind: object) -> str:
    match kind:
        case "array":
            return 'a list such as ["a", "b"]'
        case "object":
            return 'an object such as {"a": 1}'
        case _:
            return "a value of the form that the example shows"


def example(setting: Setting) -> str:
    """A value that a property takes: the declared example, the default, or one that any of the type has."""
    if setting.example:
        return setting.example
    if setting.default and setting.kind is not Kind.SECRET and not setting.has_no_default:
        return setting.default
    return generic_example(setting.type)


def generic_example(value_type: ValueType) -> str:
    """A value of a type."""
    match value_type.kind:
        case Kind.INT | Kind.BYTES | Kind.DURATION | Kind.PORT:
            return str(value_type.minimum or value_type.maximum or 10)
        case Kind.ENUM:
            return value_type.choices[0]
        case Kind.URL:
            return f"{value_type.choices[0] if value_type.choices else 'https'}://omero.example.org"
        case Kind.LIST:
            items = value_type.choices[:2] or (generic_example(value_type.items or ValueType(Kind.TEXT)),)
            return value_type.separator.join(items)
        case Kind.JSON:
            return _json_example(value_type)
    return _EXAMPLES[value_type.kind]


def _json_example(value_type: ValueType) -> str:
    from omeroadmin.schema.values.check import problem_with

    plain = replace(value_type, none=False, optional=False)
    return next((text for text in _JSON_EXAMPLES if problem_with(plain, text) is None), "JSON")

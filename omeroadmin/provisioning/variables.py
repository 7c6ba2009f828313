"""Values of a playbook's variables for a host: from the command line, a file, the inventory, else the default."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from omeroadmin.errors import AdminWarning, configuration_error, usage_error
from omeroadmin.provisioning.expressions import Context, Expressions, has_template
from omeroadmin.provisioning.operations.values import (
    ValueFault,
    as_boolean,
    as_integer,
    as_list,
    as_map,
    as_number,
    as_path,
    as_port,
    as_size,
    as_text,
)
from omeroadmin.provisioning.playbook import Playbook, Variable, VariableType
from omeroadmin.schema.shapes import misfit, nearest
from omeroadmin.schema.tree import Node, has_secret, native

_CONVERSIONS: dict[VariableType, Callable[[Any], Any]] = {
    VariableType.TEXT: as_text,
    VariableType.PATH: as_path,
    VariableType.INTEGER: as_integer,
    VariableType.NUMBER: as_number,
    VariableType.BOOLEAN: as_boolean,
    VariableType.LIST: as_list,
    VariableType.MAP: as_map,
    VariableType.SIZE: as_size,
    VariableType.PORT: as_port,
}
_SHORTEST = 6
"""Letters of the shortest name that others are compared with: short ones are alike by accident."""
_EMPTY: dict[VariableType, Any] = {VariableType.TEXT: "", VariableType.LIST: [], VariableType.MAP: {}}
"""What variables without a value are; of other types they are nothing."""


def check_default(variable: Variable) -> None:
    """A default is of its variable's type.

    :raises AdminError: ``value-invalid``, ``default-useless``
    """
    if variable.default is None:
        return
    if variable.required:
        raise usage_error("default-useless", f"{variable.origin}: {variable.name} is required, and has a default")
    if not has_template(variable.default):
        _converted(variable, variable.default)


def given_values(playbook: Playbook, *sources: Mapping[str, Node]) -> dict[str, Any]:
    """Values that are given and not defaults.

    :param sources: by name; later ones win
    :raises AdminError: ``value-invalid`` with file and line
    """
    found = {}
    for name, variable in playbook.variables.items():
        node = next((source[name] for source in reversed(sources) if name in source), None)
        if node is not None:
            found[name] = _converted(variable, node)
    return found


def missing_variables(playbook: Playbook, given: Mapping[str, Any]) -> list[str]:
    """Names of required variables without a value."""
    return [
        name
        for name, variable in playbook.variables.items()
        if variable.required and given.get(name) in (None, "", [], {})
    ]


def with_defaults(
    playbook: Playbook, given: Mapping[str, Any], known: Context, expressions: Expressions
) -> dict[str, Any]:
    """The values of all variables.

    :param known: what else defaults may use: ``base``, ``host``, ``hosts``
    :raises AdminError: as :meth:`Expressions.value`; ``value-invalid``
    """
    values: dict[str, Any] = {}
    for name, variable in playbook.variables.items():
        if name in given:
            values[name] = given[name]
        elif variable.default is None:
            values[name] = _EMPTY.get(variable.type)
        elif not has_template(variable.default):
            values[name] = _converted(variable, variable.default)
        else:
            value = expressions.value(variable.default, {**known, **values})
            try:
                values[name] = _empty(variable) if value is None else _CONVERSIONS[variable.type](value)
            except ValueFault as fault:
                raise usage_error(
                    "value-invalid", f"{variable.default.origin}: the default of {name} gives something else "
                    f"than {fault.takes}"
                ) from fault  # fmt: skip
    return values


def secret_values(playbook: Playbook, values: Mapping[str, Any]) -> Iterator[str]:
    """Texts that must not be shown, of the variables that are declared so."""
    for name, variable in playbook.variables.items():
        if variable.secret:
            yield from _texts(values.get(name))


def check_known(names: Mapping[str, Node], playbooks: tuple[Playbook, ...]) -> None:
    """Names of the command line are variables of a playbook, and no secrets.

    :raises AdminError: ``variable-unknown``, ``secret-in-the-open``
    """
    declared = {name: variable for playbook in playbooks for name, variable in playbook.variables.items()}
    for name, node in names.items():
        if name not in declared:
            near = nearest(name, declared)
            hint = f"did you mean {near}?" if near else "see its variables in docs/reference/playbooks.md"
            raise usage_error("variable-unknown", f"no playbook has a variable {name!r}", hint)
        if declared[name].secret and not has_secret(node):
            raise usage_error(
                "secret-in-the-open",
                f"{name} is a secret, which everybody could read on the command line",
                f"write it into the inventory, or a file for --vars: {name}: !file PATH",
            )


def warn_of_slips(names: Iterable[tuple[str, Node]], playbooks: Sequence[Playbook]) -> None:
    """Warn of names that no playbook knows, but almost; all others may be for other playbooks."""
    declared = {name for playbook in playbooks for name in playbook.variables}
    for name, node in dict(names).items():
        near = "" if name in declared else next((known for known in declared if _is_slip(name, known)), "")
        if near:
            text = f"{node.origin}: no playbook here has a variable {name}; did you mean {near}?"
            warnings.warn(text, AdminWarning, stacklevel=2)


def _is_slip(name: str, known: str) -> bool:
    """Whether one letter is missing, too many or another, or two have changed places."""
    if abs(len(name) - len(known)) > 1 or len(known) < _SHORTEST:
        return False
    start = next((place for place, (one, other) in enumerate(zip(name, known, strict=False)) if one != other), None)
    if start is None:
        return True
    left, right = name[start:], known[start:]
    swapped = left[1::-1] + left[2:] == right
    return swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]


def require_values(playbook: Playbook, host: str, given: Mapping[str, Any]) -> None:
    """All required variables have values.

    :raises AdminError: ``variable-missing``
    """
    for name in missing_variables(playbook, given):
        raise configuration_error(
            "variable-missing",
            f"{host}: the playbook {playbook.name} needs a value for {name}: {playbook.variables[name].description}",
            f"write it into the inventory, below variables:, or add --set {name}=…"
            if not playbook.variables[name].secret
            else f"write it into the inventory, below variables: {name}: !file PATH",
        )


def _converted(variable: Variable, node: Node) -> Any:
    value = native(node)
    if value is None:
        return _empty(variable)
    try:
        return _CONVERSIONS[variable.type](value)
    except ValueFault as fault:
        raise misfit(node, variable.name, fault.takes) from fault


def _empty(variable: Variable) -> Any:
    return _EMPTY.get(variable.type)


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)

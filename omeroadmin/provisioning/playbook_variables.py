"""Variables of a playbook: declared there, or the same as in another one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from omeroadmin.errors import usage_error
from omeroadmin.provisioning.playbook import Variable, VariableType
from omeroadmin.provisioning.playbook_shape import VARIABLES
from omeroadmin.provisioning.variables import check_default
from omeroadmin.schema.shapes import checked, nearest
from omeroadmin.schema.tree import MapNode, ScalarNode
from omeroadmin.system.yaml_reader import read_yaml_file


class VariableReader:
    """Reads the variables of one playbook, and each other playbook that it refers to once.

    :param environment: variables for ``!env``
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._others: dict[Path, MapNode] = {}

    def variables(self, tree: MapNode, path: Path) -> dict[str, Variable]:
        """Those of a playbook whose form has been checked.

        :param path: its file; others are named relative to it
        :raises AdminError: ``key-missing``, ``variable-unknown``, ``variables-in-circles``, ``playbook-missing``, and
            what reading the others raises
        """
        node = tree.members.get("variables")
        if not isinstance(node, MapNode):
            return {}
        return {name: self._variable(name, node, path, ()) for name in node.members}

    def _variable(self, name: str, node: MapNode, path: Path, above: tuple[Path, ...]) -> Variable:
        declared, origin = node.members[name], node.names[name]
        assert isinstance(declared, MapNode)  # noqa: S101 - it has no faults
        values = {key: member for key, member in declared.members.items() if isinstance(member, ScalarNode)}
        if "same_as" in values:
            if len(declared.members) > 1:
                raise usage_error("key-unknown", f"{origin}: {name} has same_as, and so nothing else")
            other = path.parent / values["same_as"].text
            return self._elsewhere(name, other, values["same_as"].origin, (*above, path.resolve()))
        if "description" not in values:
            raise usage_error("key-missing", f"{origin}: {name} has no description", "say what it is, in one sentence")
        variable = Variable(
            name,
            VariableType(values["type"].text if "type" in values else VariableType.TEXT),
            " ".join(values["description"].text.split()),
            origin,
            declared.members.get("default"),
            secret="secret" in values and values["secret"].text.lower() == "true",
            required="required" in values and values["required"].text.lower() == "true",
        )
        check_default(variable)
        return variable

    def _elsewhere(self, name: str, path: Path, origin: str, above: tuple[Path, ...]) -> Variable:
        if path.resolve() in above:
            raise usage_error("variables-in-circles", f"{origin}: {name} is the same as itself")
        if not path.is_file():
            raise usage_error("playbook-missing", f"{origin}: there is no playbook {path}")
        if path not in self._others:
            tree = read_yaml_file(path, self._environment)
            node = tree.members.get("variables") if isinstance(tree, MapNode) else None
            checked(node or MapNode({}, {}, str(path)), VARIABLES, "variables")
            self._others[path] = node if isinstance(node, MapNode) else MapNode({}, {}, str(path))
        others = self._others[path]
        if name not in others.members:
            near = nearest(name, others.members)
            hint = f"did you mean {near}?" if near else "declare it here"
            raise usage_error("variable-unknown", f"{origin}: {path} declares no variable {name}", hint)
        return self._variable(name, others, path, above)

"""Expressions and templates of playbooks: Jinja2, strict and sandboxed, each text compiled once for all hosts.

A text that is one expression, ``{{ names }}``, stands for what the expression gives: a list, a number. Any other text
with ``{{ }}`` in it becomes text. What came by ``!file`` or ``!env`` is never taken for a template.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.provisioning.operations.values import ValueFault, as_text
from omeroadmin.render.engine import use_filters
from omeroadmin.resources import templates_directory
from omeroadmin.schema.shapes import nearest
from omeroadmin.schema.tree import ListNode, MapNode, Node, ScalarNode, native, scalars
from omeroadmin.system.files import read_text

if TYPE_CHECKING:
    from jinja2 import Environment, Template, nodes

Context = Mapping[str, Any]
_MARK = re.compile(r"\{[{%#]")
_PLAIN = re.compile(r"\{\{ ([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*) \}\}")
"""What needs no compiler: names and members of maps."""
_ABSENT = object()
_DECLARE = "declare it in the playbook, below variables:; a default knows those above it"


def has_template(node: Node) -> bool:
    """Whether anything in it differs from host to host."""
    return any(_MARK.search(scalar.text) and not scalar.is_secret for scalar in scalars(node))


class Expressions:
    """Evaluates what the files of one directory say.

    :param directory: of the playbook; templates are found in it, in its ``templates``, then in the package's own
    """

    def __init__(self, directory: Path) -> None:
        self._directories = (directory, directory / "templates", templates_directory())
        self._environment: Environment | None = None
        self._compiled: dict[tuple[str, str], Callable[[Context], Any]] = {}

    def value(self, node: Node, context: Context) -> Any:
        """What a node stands for: text, number, boolean, ``None``, list or dict.

        :raises AdminError: ``expression-invalid``, ``variable-unknown``, each with file and line
        """
        match node:
            case ListNode():
                return [self.value(item, context) for item in node.items]
            case MapNode():
                return {name: self.value(item, context) for name, item in node.members.items()}
        if node.is_secret or not _MARK.search(node.text):
            return native(node)
        found = _plain_value(node.text, context)
        if found is not _ABSENT:
            return found
        return self._evaluate("text", node.text, context, node.origin)

    def condition(self, node: ScalarNode, context: Context) -> bool:
        """Whether an expression is true.

        :raises AdminError: as :meth:`value`, and for an expression that gives a text
        """
        if node.literal in ("true", "false"):
            return node.literal == "true"
        if _MARK.search(node.text):
            raise configuration_error(
                "expression-invalid",
                f"{node.origin}: a condition is an expression without {{{{ }}}}: {node.text!r}",
                "leave the braces out",
            )
        found = self._evaluate("expression", node.text, context, node.origin)
        if isinstance(found, str):
            raise configuration_error(
                "expression-invalid", f"{node.origin}: the condition {node.text!r} gives a text, not true or false"
            )
        return bool(found)

    def items(self, node: Node, context: Context) -> list[Any]:
        """What ``for_each`` goes through: the items of a list, or of a map as ``key`` and ``value``.

        :raises AdminError: as :meth:`value`, and for anything else
        """
        if isinstance(node, ScalarNode) and not _MARK.search(node.text):
            found = self._evaluate("expression", node.text, context, node.origin)
        else:
            found = self.value(node, context)
        if isinstance(found, dict):
            return [{"key": key, "value": value} for key, value in found.items()]
        if not isinstance(found, (list, tuple)):
            raise configuration_error("value-invalid", f"{node.origin}: for_each takes a list or a map")
        return list(found)

    def file(self, name: str, context: Context, origin: str) -> str:
        """What a template file makes.

        :param name: relative to one of the directories, or absolute
        :param origin: file and line that name it
        :raises AdminError: ``template-missing``, ``expression-invalid``, ``variable-unknown``, ``file-not-read``
        """
        return str(self._evaluate("file", name, context, origin))

    def path_of(self, name: str, origin: str) -> Path:
        """Where a file is that a playbook names.

        :raises AdminError: ``template-missing``
        """
        # An absolute or home path stays itself when it is put behind a directory.
        relative = Path(name).expanduser()
        for directory in self._directories:
            if (directory / relative).is_file():
                return directory / relative
        raise configuration_error(
            "template-missing", f"{origin}: there is no file {name}", f"it is looked for in {self._directories[0]}"
        )

    def check(self, node: Node, names: Collection[str], *, expression: bool = False) -> None:
        """Compile what a node says, and look whether all names in it are known; nothing is evaluated.

        :param names: what is known
        :param expression: whether a text without braces is an expression, too
        :raises AdminError: ``expression-invalid``, ``variable-unknown``, each with file and line
        """
        for scalar in scalars(node):
            marked = _MARK.search(scalar.text)
            if scalar.is_secret or scalar.literal in ("true", "false"):
                continue
            if not marked and expression and scalar is node:
                self._check("expression", scalar.text, names, scalar.origin)
            elif marked and not _only_names(scalar.text, names):
                self._check("text", scalar.text, names, scalar.origin)

    def check_file(self, name: str, names: Collection[str], origin: str) -> None:
        """The same for a template file.

        :raises AdminError: ``template-missing``, ``expression-invalid``, ``variable-unknown``, ``file-not-read``
        """
        self._check("file", name, names, origin)

    def _check(self, kind: str, text: str, names: Collection[str], origin: str) -> None:
        from jinja2 import TemplateError

        try:
            tree = self._parse(kind, text, origin)
            self._compiled[kind, text] = self._compile(kind, text, tree, origin)
        except (TemplateError, RecursionError) as error:
            raise _fault(error, _place(kind, text, origin, error), dict.fromkeys(names)) from error
        except ValueFault as error:
            raise configuration_error("expression-invalid", f"{origin}: {error.takes}") from error
        unknown = _unknown_name(tree, {*names, *self._globals()})
        if unknown is not None:
            near = nearest(unknown.name, tuple(names))
            place = f"{origin}: {text}:{unknown.lineno}" if kind == "file" else f"{origin}: {text!r}"
            raise configuration_error(
                "variable-unknown",
                f"{place}: {unknown.name!r} is not declared",
                f"did you mean {near}?" if near else _DECLARE,
            )

    def _evaluate(self, kind: str, text: str, context: Context, origin: str) -> Any:
        from jinja2 import TemplateError

        try:
            compiled = self._compiled.get((kind, text))
            if compiled is None:
                tree = self._parse(kind, text, origin)
                compiled = self._compiled[kind, text] = self._compile(kind, text, tree, origin)
            return compiled(context)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise _fault(error, _place(kind, text, origin, error), context) from error
        except ValueFault as error:
            place = _place(kind, text, origin, error)
            raise configuration_error("expression-invalid", f"{place}: {error.takes}") from error

    def _parse(self, kind: str, text: str, origin: str) -> nodes.Template:
        environment = self._environment or self._make_environment()
        if kind == "expression":
            return environment.parse(f"{{{{ {text} }}}}")
        if kind == "text":
            return environment.parse(text)
        path = self.path_of(text, origin)
        return environment.parse(read_text(path), name=text, filename=str(path))

    def _globals(self) -> Collection[str]:
        environment = self._environment or self._make_environment()
        return environment.globals

    def _compile(self, kind: str, text: str, tree: nodes.Template, origin: str) -> Callable[[Context], Any]:
        environment = self._environment or self._make_environment()
        if kind == "expression":
            return _result_of(tree, environment) or _refuse(text)
        if kind == "text":
            return _result_of(tree, environment) or environment.from_string(tree).render
        code = environment.compile(tree, name=text, filename=str(self.path_of(text, origin)))
        template: Template = environment.template_class.from_code(environment, code, environment.make_globals(None))
        return template.render

    def _make_environment(self) -> Environment:
        from jinja2 import FileSystemLoader, StrictUndefined
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        # These are configuration files, not HTML.
        self._environment = environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(self._directories),
            undefined=StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_printed,
        )
        use_filters(environment)
        return environment


def _only_names(text: str, names: Collection[str]) -> bool:
    """Whether a text names known variables and does nothing else."""
    rest = _PLAIN.sub("", text)
    return not _MARK.search(rest) and all(one[1].partition(".")[0] in names for one in _PLAIN.finditer(text))


def _unknown_name(tree: nodes.Template, known: Collection[str]) -> nodes.Name | None:
    """A name that is neither known nor made by the template itself."""
    from jinja2 import nodes

    if any(tree.find_all((nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends, nodes.Macro))):
        # What others bring is known when they are rendered.
        return None
    names = list(tree.find_all(nodes.Name))
    own = {name.name for name in names if name.ctx != "load"} | {"loop"}
    return next((name for name in names if name.name not in own and name.name not in known), None)


def _place(kind: str, text: str, origin: str, error: BaseException) -> str:
    return f"{origin}: {_line_within(error, text)}" if kind == "file" else f"{origin}: {text!r}"


def _plain_value(text: str, context: Context) -> Any:
    """What texts stand for that only name variables; :data:`_ABSENT` for all else, also what isn't there."""
    whole = _PLAIN.fullmatch(text)
    if whole is not None:
        return _member(whole[1], context)
    parts, end = [], 0
    for found in _PLAIN.finditer(text):
        value = _member(found[1], context)
        if not isinstance(value, (str, int, float)):
            return _ABSENT
        parts += [text[end : found.start()], as_text(value)]
        end = found.end()
    rest = text[end:]
    return _ABSENT if _MARK.search("".join((*parts[::2], rest))) else "".join((*parts, rest))


def _member(dotted: str, context: Context) -> Any:
    found: Any = context
    for name in dotted.split("."):
        # A dict's methods are found first by Jinja2; let it say what it thinks of that.
        if not isinstance(found, Mapping) or name not in found or (found is not context and hasattr(found, name)):
            return _ABSENT
        found = found[name]
    return found


def _result_of(tree: Any, environment: Environment) -> Callable[[Context], Any] | None:
    """What gives the value of a template that is one expression; ``None`` if it is more than that."""
    from jinja2 import Undefined, nodes

    match tree.body:
        case [nodes.Output(nodes=[expression])] if not isinstance(expression, nodes.TemplateData):
            target = nodes.Name("result", "store", lineno=1)
            body: list[nodes.Node] = [nodes.Assign(target, expression, lineno=1)]
            template = environment.from_string(nodes.Template(body, lineno=1))
        case _:
            return None

    def evaluate(context: Context) -> Any:
        inner = template.new_context(dict(context))
        for _ in template.root_render_func(inner):
            pass
        found = inner.vars["result"]
        if isinstance(found, Undefined):
            str(found)  # which raises, as any use of it does
        return found

    return evaluate


def _refuse(text: str) -> Callable[[Context], Any]:
    raise ValueFault(f"{text!r} is not one expression")


def _printed(value: Any) -> Any:
    """How values stand in texts: ``true`` and not ``True``; nothing is a mistake."""
    if value is None:
        raise ValueFault("an expression in it gives nothing")
    return ("true" if value else "false") if isinstance(value, bool) else value


def _line_within(error: BaseException, name: str) -> str:
    line = getattr(error, "lineno", None)
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.endswith(name):
            line = frame.lineno
    return f"{name}:{line}" if line else name


def _fault(error: Exception, place: str, context: Context) -> AdminError:
    from jinja2 import UndefinedError

    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    if not isinstance(error, UndefinedError):
        return configuration_error("expression-invalid", f"{place}: {words}")
    unknown = re.match(r"'(\w+)' is undefined", words)
    near = nearest(unknown[1], context) if unknown else ""
    hint = f"did you mean {near}?" if near else _DECLARE
    return configuration_error("variable-unknown", f"{place}: {words}", hint if unknown else "")

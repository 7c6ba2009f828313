"""Applications that nobody would write: read or refused in words, and what they name comes back as it was."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape as escape_xml
from xml.sax.saxutils import quoteattr

from hypothesis import given, settings
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.grid.descriptor import ACTIVATIONS, describe_application
from omeroadmin.grid.elements import known_targets
from omeroadmin.grid.expansion import escape
from omeroadmin.grid.grammar import SHAPES

# No control characters: XML 1.0 has none; and of white space only the blank, since attributes keep no other.
CHARACTERS = st.characters(codec="utf-8", categories=("L", "N", "P", "S"), include_characters=" ")
TEXTS = st.text(CHARACTERS, max_size=12)
NAMES = TEXTS.filter(lambda text: text.strip() == text != "")
ODD_VALUES = st.one_of(
    st.sampled_from(
        ["", "a", "b", "always", "1", "0", "true", "${a}", "${b}", "$${a}", "${", "${application}", "²", "b.xml"]
    ),
    TEXTS,
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 5) -> str:
    """An element that may have been meant well."""
    tag = draw(st.sampled_from([*SHAPES, "unknown"]))
    return draw(element(tag, depth))


@st.composite
def element(draw: st.DrawFn, tag: str, depth: int) -> str:
    shape = SHAPES.get(tag, SHAPES["description"])
    optional = [name for name in sorted(shape.optional) if draw(st.booleans())]
    missing = draw(st.integers(0, 30)) == 0
    attributes = {name: draw(ODD_VALUES) for name in ([] if missing else sorted(shape.required)) + optional}
    children = ""
    if depth:
        allowed = sorted(shape.children | {"target", "include"})
        tags = draw(st.lists(st.sampled_from(allowed), max_size=4))
        children = "".join(draw(element(child, depth - 1)) for child in tags)
        if draw(st.integers(0, 30)) == 0:
            children += draw(elements(0))
    text = escape_xml(draw(ODD_VALUES)) if not children else ""
    words = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return f"<{tag}{words}>{text}{children}</{tag}>"


@settings(max_examples=300, deadline=None)
@given(element("application", 5), st.one_of(elements(3), st.binary(max_size=40)), st.sets(st.sampled_from(["a", "b"])))
def test_whatever_it_says(application: str, included: str | bytes, targets: set[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "default.xml"
        file.write_text(f"<icegrid>{application}</icegrid>", "utf-8")
        other = included if isinstance(included, bytes) else f"<icegrid>{included}</icegrid>".encode()
        (Path(name) / "b.xml").write_bytes(other)
        for read in (lambda: describe_application(file, targets), lambda: known_targets(file)):
            error = refusal(read)
            if error is not None:
                assert error.code in ("descriptor-invalid", "file-not-read")
                assert name in error.message
                assert "\n" not in error.message


def refusal(read: Callable[[], object]) -> AdminError | None:
    """Why something can't be read."""
    try:
        read()
    except AdminError as error:
        return error
    return None


SERVERS = st.fixed_dictionaries(
    {
        "exe": NAMES,
        "options": st.lists(NAMES, max_size=3),
        "environment": st.lists(st.tuples(NAMES.filter(lambda name: "=" not in name), TEXTS), max_size=2),
        "properties": st.lists(st.tuples(NAMES, TEXTS), max_size=3),
        "activation": st.sampled_from(ACTIVATIONS),
        "adapters": st.lists(NAMES, max_size=2, unique=True),
        "node": st.sampled_from(["master", "worker"]),
        "pwd": TEXTS,
        "user": TEXTS,
    }
)


def attribute(text: str) -> str:
    """A text as an attribute whose references stay as they are."""
    return quoteattr(escape(text))


def written(identifier: str, server: dict[str, Any]) -> str:
    """A server as a descriptor has it."""
    parts = [f"<option>{escape_xml(escape(option))}</option>" for option in server["options"]]
    parts += [f"<env>{escape_xml(escape(f'{name}={value}'))}</env>" for name, value in server["environment"]]
    parts += [f"<property name={attribute(name)} value={attribute(value)}/>" for name, value in server["properties"]]
    parts += [f"<adapter name={attribute(name)}/>" for name in server["adapters"]]
    words = " ".join(f"{name}={attribute(server[name])}" for name in ("exe", "activation", "pwd", "user"))
    return f"<server id={attribute(identifier)} {words}>{''.join(parts)}</server>"


@settings(deadline=None)
@given(st.dictionaries(NAMES, SERVERS, max_size=4), st.booleans())
def test_what_is_named_comes_back(servers: dict[str, dict[str, Any]], by_template: bool) -> None:
    texts = []
    templates = ""
    for number, (identifier, server) in enumerate(servers.items()):
        text = written(identifier, server)
        if by_template:
            templates += f'<server-template id="{number}">{text}</server-template>'
            text = f'<server-instance template="{number}"/>'
        texts.append(f'<node name="{server["node"]}">{text}</node>')
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "default.xml"
        file.write_text(f'<icegrid><application name="A">{templates}{"".join(texts)}</application></icegrid>', "utf-8")
        found = describe_application(file)
    assert {server.process.identifier for server in found.servers} == servers.keys()
    for identifier, server in servers.items():
        description = found.server(identifier)
        assert description is not None
        process = description.process
        assert process.executable == server["exe"]
        assert list(process.options) == server["options"]
        assert [f"{one}={value}" for one, value in process.environment] == [
            f"{one}={value}".strip() for one, value in server["environment"]
        ]
        assert list(process.properties) == server["properties"]
        assert [adapter.name for adapter in description.adapters] == server["adapters"]
        assert (process.activation, process.node) == (server["activation"], server["node"])
        assert (process.working_directory, process.user) == (server["pwd"], server["user"])

"""Jinja2 with strict variables, for configuration files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.errors import failed_error
from omeroadmin.resources import templates_directory

if TYPE_CHECKING:
    from jinja2 import Environment


_BARE = re.compile(r"[A-Za-z0-9_@%+=:,./$-]+")


def render(template: str, context: Mapping[str, object], directory: Path | None = None) -> str:
    """Render a template; a variable that the context lacks is an error.

    Templates have filters that quote a text for where it stands: ``attribute`` as the value of an XML attribute,
    ``shell`` as a word of a shell script, ``unit`` as a word of a systemd unit, ``command`` as one of its commands.

    :param template: name below the templates directory, e.g. ``nginx/server.conf.j2``
    :param directory: another directory than the package's own
    :raises AdminError: ``template-invalid``
    """
    from jinja2 import TemplateError

    try:
        return _environment(directory or templates_directory()).get_template(template).render(context)
    except TemplateError as error:
        raise failed_error("template-invalid", f"template {template}: {error}") from error


def _environment(directory: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    # These are configuration files, not HTML: XML values go through the filter "attribute".
    environment = Environment(
        loader=FileSystemLoader(directory),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    use_filters(environment)
    return environment


def use_filters(environment: Environment) -> None:
    """Give an environment the filters that quote, see :func:`render`."""
    environment.filters["attribute"] = _attribute
    environment.filters["shell"] = lambda value: shlex.quote(str(value))
    environment.filters["unit"] = _unit_word
    environment.filters["command"] = lambda value: _unit_word(str(value).replace("$", "$$"))


def _attribute(value: object) -> str:
    # It brings urllib, which takes longer than the rest of many a command.
    from xml.sax.saxutils import quoteattr

    return quoteattr(str(value))


def _unit_word(value: object) -> str:
    """A word as systemd reads it: quoted where it must be, with specifiers taken literally."""
    text = str(value).replace("%", "%%")
    if _BARE.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

"""Jinja2 with strict variables, for configuration files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from omeroadmin.errors import failed_error
from omeroadmin.resources import templates_directory

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, context: Mapping[str, object], directory: Path | None = None) -> str:
    """Render a template; a variable that the context lacks is an error.

    Templates have the filter ``attribute``: a text as a quoted, escaped XML attribute value.

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
    environment.filters["attribute"] = lambda value: quoteattr(str(value))
    return environment

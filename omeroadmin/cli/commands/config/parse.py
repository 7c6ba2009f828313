"""``omero config parse``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.input import read_input
from omeroadmin.cli.output import print_json, print_lines
from omeroadmin.cli.views import catalog
from omeroadmin.errors import usage_error
from omeroadmin.schema.documented import declared, declared_web, parse_documented


def command(
    defaults: Annotated[bool, typer.Option("--defaults", help="KEY=DEFAULT; what is printed by default.")] = False,
    keys: Annotated[bool, typer.Option("--keys", help="Names in groups.")] = False,
    headers: Annotated[bool, typer.Option("--headers", help="Sections with the number of their properties.")] = False,
    rst: Annotated[bool, typer.Option("--rst", help="A page in reStructuredText.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Everything that is declared, as JSON.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="JSON Schema of a file for config apply.")] = False,
    web: Annotated[bool, typer.Option("--web/--no-web", help="With the properties of OMERO.web.")] = True,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="Properties of a file like omero.properties; - is stdin."),
    ] = None,
) -> None:
    """List all properties that there are, with their defaults.

    A FILE takes the place of the declared properties of the server; those of OMERO.web stay.

    Example: omero config parse --headers
    """
    forms = {"--defaults": defaults, "--keys": keys, "--headers": headers, "--rst": rst, "--json": as_json}
    chosen = [name for name, given in {**forms, "--schema": schema}.items() if given]
    if len(chosen) > 1:
        raise usage_error("options-exclusive", f"{' and '.join(chosen)} exclude each other", "give one of them")
    if schema:
        if file is not None or not web:
            raise usage_error("options-exclusive", "--schema is that of all declared properties", "give it alone")
        from omeroadmin.schema.emit import configuration_schema_text

        print_lines(configuration_schema_text().rstrip("\n"))
        return
    properties = declared(web=web)
    if file is not None:
        properties = parse_documented(read_input(file), "stdin" if file == "-" else file)
        properties += declared_web() if web else []
    if as_json:
        print_json("config/parse", {"properties": catalog.documented_items(properties)})
        return
    lines = {"--keys": catalog.key_lines, "--headers": catalog.header_lines, "--rst": catalog.rst_lines}
    print_lines(*lines.get("".join(chosen), catalog.default_lines)(properties))

"""Which servers ``omero.server.nodedescriptors`` may name."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.grid.elements import read_descriptor
from omeroadmin.grid.reference_servers import INDEXED, TEMPLATES
from omeroadmin.schema.instance import Instance

_ENDING = "Template"


def known_servers(instance: Instance | None) -> dict[str, bool]:
    """Names of templates without their ending, and whether each needs an index.

    :param instance: its descriptors may have templates of their own
    """
    known = {name: name in INDEXED for name in TEMPLATES}
    if instance is not None:
        shipped = instance.etc / "templates" / "grid" / instance.templates_xml.name
        for file in (shipped, instance.templates_xml):
            known |= _defined(file)
    return known


def _defined(file: Path) -> dict[str, bool]:
    if not file.is_file():
        return {}
    try:
        root = read_descriptor(file, frozenset())
    except AdminError:
        # A damaged file is found by those who need it; here its templates are merely not known.
        return {}
    return {
        str(template.get("id")).removesuffix(_ENDING): any(
            parameter.get("name") == "index" and "default" not in parameter.attrib
            for parameter in template.iter("parameter")
        )
        for template in root.element.iter("server-template")
        if str(template.get("id", "")).endswith(_ENDING)
    }

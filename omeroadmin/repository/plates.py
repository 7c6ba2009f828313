"""The plates that the OME-XML of a fileset tells of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.repository.ome_xml import OmePlate, parse_ome_document
from omeroadmin.repository.tiff_description import embedded_ome_xml


def read_plates(paths: Sequence[Path]) -> tuple[OmePlate, ...]:
    """The plates of the first file that tells of any; the files of a set all tell the same."""
    for path in paths:
        text = embedded_ome_xml(path)
        if not text:
            continue
        try:
            plates = parse_ome_document(text).plates
        except AdminError:
            continue
        if plates:
            return tuple(plates)
    return ()

"""The parts of OME-XML that an import needs, read without document types and entities."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from omeroadmin.errors import failed_error


@dataclass
class TiffData:
    """Planes of a TIFF file that belong to an image.

    :param page: first plane in the file; ``None``: none given, which means 0
    :param count: number of planes; ``None``: one where ``page`` is given, else all
    :param file_name: file of the planes; empty: the one with this metadata
    """

    page: int | None
    count: int | None
    first_z: int
    first_c: int
    first_t: int
    file_name: str = ""


@dataclass
class OmeImage:
    """An ``Image`` element and its ``Pixels``."""

    name: str
    sizes: dict[str, int] = field(default_factory=dict)
    pixel_type: str = ""
    significant_bits: int | None = None
    dimension_order: str = "XYZCT"
    channels: list[str] = field(default_factory=list)
    samples: int = 1
    description: str = ""
    planes: list[TiffData] = field(default_factory=list)


@dataclass(frozen=True)
class OmePlate:
    """A ``Plate`` element.

    :param rows: number of rows; ``None`` where the document doesn't say
    """

    name: str
    rows: int | None
    columns: int | None


@dataclass
class OmeDocument:
    """What a document tells.

    :param metadata_file: file beside it that has the metadata; empty: the document itself
    """

    images: list[OmeImage] = field(default_factory=list)
    plates: list[OmePlate] = field(default_factory=list)
    metadata_file: str = ""

    def file_names(self) -> list[str]:
        """Files that hold planes, each once, in the order in which they are named."""
        named = [plane.file_name for image in self.images for plane in image.planes if plane.file_name]
        return list(dict.fromkeys(named))


class _Reader:
    """Follows expat through the document."""

    def __init__(self) -> None:
        self.document = OmeDocument()
        self.images = self.document.images
        self._path: list[str] = []
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition("}")[2]
        self._path.append(tag)
        self._text.clear()
        if tag == "Image":
            self.images.append(OmeImage(attributes.get("Name", "")))
        elif tag == "BinaryOnly":
            self.document.metadata_file = attributes.get("MetadataFile", "")
        elif tag == "Plate":
            self.document.plates.append(_plate(attributes))
        elif self.images and "Image" in self._path:
            self._inside_image(tag, attributes)

    def _inside_image(self, tag: str, attributes: dict[str, str]) -> None:
        image = self.images[-1]
        if tag == "Pixels":
            image.sizes = {axis: int(attributes[f"Size{axis}"]) for axis in "XYZCT"}
            image.pixel_type = attributes["Type"]
            image.dimension_order = attributes.get("DimensionOrder", image.dimension_order)
            bits = attributes.get("SignificantBits")
            image.significant_bits = int(bits) if bits else None
        elif tag == "Channel":
            image.samples = int(attributes.get("SamplesPerPixel", "1"))
            image.channels += [attributes.get("Name", "")] * image.samples
        elif tag == "TiffData":
            page, count = attributes.get("IFD"), attributes.get("PlaneCount")
            image.planes.append(
                TiffData(
                    page=None if page is None else int(page),
                    count=None if count is None else int(count),
                    first_z=int(attributes.get("FirstZ", "0")),
                    first_c=int(attributes.get("FirstC", "0")),
                    first_t=int(attributes.get("FirstT", "0")),
                )
            )
        elif tag == "UUID" and image.planes:
            image.planes[-1].file_name = attributes.get("FileName", "")

    def end(self, name: str) -> None:
        tag = self._path.pop()
        if name.rpartition("}")[2] == "Description" and self._path and self._path[-1] == "Image":
            self.images[-1].description = "".join(self._text).strip()
        elif tag == "Image" and not self.images[-1].sizes:
            self.images.pop()
        self._text.clear()

    def text(self, data: str) -> None:
        self._text.append(data)


def _plate(attributes: dict[str, str]) -> OmePlate:
    rows, columns = (attributes.get(name) for name in ("Rows", "Columns"))
    return OmePlate(attributes.get("Name", ""), int(rows) if rows else None, int(columns) if columns else None)


def parse_ome_document(text: str) -> OmeDocument:
    """All that an import needs of a document.

    :raises AdminError: ``ome-xml-invalid``
    """

    def refuse(*_arguments: object) -> None:
        raise failed_error("ome-xml-invalid", "OME-XML with a document type is not accepted")

    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError, KeyError) as error:
        raise failed_error("ome-xml-invalid", f"OME-XML can't be read: {error}") from error
    return reader.document

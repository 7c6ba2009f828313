"""OME-TIFF files that belong together."""

from __future__ import annotations

from pathlib import Path

_NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


def write_set(directory: Path, names: tuple[str, ...], *, companion: str = "", plate: str = "") -> list[Path]:
    """One image with a channel in each file; its samples are the number of the channel.

    :param companion: name of a file that has the metadata; the TIFF files refer to it then
    :param plate: name of a plate that the metadata tells of
    :return: all files, the companion first
    """
    import numpy as np
    import tifffile

    directory.mkdir(parents=True, exist_ok=True)
    channels = "".join(f'<Channel ID="Channel:0:{number}" Name="C{number}"/>' for number in range(len(names)))
    places = "".join(
        f'<TiffData IFD="0" PlaneCount="1" FirstC="{number}"><UUID FileName="{name}">urn:uuid:{number}</UUID>'
        "</TiffData>"
        for number, name in enumerate(names)
    )
    plates = f'<Plate ID="Plate:0" Name="{plate}" Rows="8" Columns="12"/>' if plate else ""
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{_NAMESPACE}">{plates}<Image ID="Image:0" Name="spread">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="20" SizeY="10" SizeZ="1"'
        f' SizeC="{len(names)}" SizeT="1">{channels}{places}</Pixels></Image></OME>'
    )
    written = []
    if companion:
        (directory / companion).write_text(text)
        written.append(directory / companion)
        text = f'<OME xmlns="{_NAMESPACE}"><BinaryOnly MetadataFile="{companion}" UUID="urn:uuid:x"/></OME>'
    for number, name in enumerate(names):
        plane = np.full((10, 20), number, np.uint8)
        tifffile.imwrite(directory / name, plane, description=text.encode(), metadata=None)
        written.append(directory / name)
    return written

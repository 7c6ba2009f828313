"""Makes image files for trying an OMERO server: real formats, always the same bytes of pixels, nothing downloaded.

Usage: python contrib/samples/make_samples.py OUTDIR
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyvips
import tifffile

_Plane = npt.NDArray[np.float64]


def make_samples(directory: Path) -> tuple[Path, ...]:
    """Write all samples and name them.

    :param directory: made where it is missing; files of the same names are replaced
    """
    directory.mkdir(parents=True, exist_ok=True)
    return (
        embryo(directory / "zebrafish_embryo.ome.tif"),
        garden(directory / "flower_garden.tif"),
        leaf(directory / "maple_leaf.png"),
        sunset(directory / "sunset_harbour.jpg"),
        slide(directory / "tissue_slide.tif"),
    )


def _grid(height: int, width: int) -> tuple[_Plane, _Plane]:
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    return y / height, x / width


def _spot(y: _Plane, x: _Plane, centre: tuple[float, float], width: float) -> _Plane:
    square: _Plane = (y - centre[0]) ** 2 + (x - centre[1]) ** 2
    blurred: _Plane = np.exp(-square / (2 * width**2))
    return blurred


def embryo(path: Path) -> Path:
    """Five dimensions: 3 times, 5 sections and the channels DAPI, GFP and mCherry of 128 x 96 16-bit pixels."""
    y, x = _grid(96, 128)
    data = np.zeros((3, 3, 5, 96, 128), np.uint16)
    noise = np.random.default_rng(42)
    for t, c, z in np.ndindex(3, 3, 5):
        nuclei = sum(
            _spot(y, x, (0.5 + 0.3 * np.sin(k + 0.2 * t), 0.5 + 0.3 * np.cos(k * (c + 1))), 0.05 + 0.01 * z)
            for k in range(6)
        )
        data[t, c, z] = 200 + 3000 * (c + 1) * nuclei * np.exp(-((z - 2) ** 2) / 4) + noise.integers(0, 50, (96, 128))
    tifffile.imwrite(path, data, photometric="minisblack", description=_embryo_metadata(path.name), metadata=None)
    return path


def _embryo_metadata(name: str) -> str:
    """OME-XML written out here, because tifffile gives each file a new UUID."""
    channels = "".join(
        f'<Channel ID="Channel:0:{number}" Name="{channel}" SamplesPerPixel="1"/>'
        for number, channel in enumerate(("DAPI", "GFP", "mCherry"))
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0" Name="{name}">'
        "<Description>Nuclei of a zebrafish embryo, three times, five sections</Description>"
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SignificantBits="16" '
        'SizeX="128" SizeY="96" SizeZ="5" SizeC="3" SizeT="3" PhysicalSizeX="0.5" PhysicalSizeY="0.5">'
        f'{channels}<TiffData IFD="0" PlaneCount="45"/></Pixels></Image></OME>'
    )


def _petals(height: int, width: int, count: int) -> npt.NDArray[np.uint8]:
    y, x = _grid(height, width)
    picture = np.zeros((height, width, 3))
    picture[...] = (40, 110, 50)
    places = np.random.default_rng(7).random((count, 2))
    for number, (centre_y, centre_x) in enumerate(places):
        angle = np.arctan2(y - centre_y, x - centre_x)
        distance = np.hypot(y - centre_y, x - centre_x)
        flower = distance < 0.06 * (0.6 + 0.4 * np.cos(5 * angle))
        picture[flower] = (230, 60 + 30 * (number % 5), 120 + 25 * (number % 4))
        picture[distance < 0.015] = (250, 220, 60)
    return picture.astype(np.uint8)


def garden(path: Path) -> Path:
    """A picture in colours as a plain TIFF."""
    tifffile.imwrite(path, _petals(384, 512, 25), photometric="rgb", compression="zlib", metadata=None)
    return path


def leaf(path: Path) -> Path:
    """A picture in colours as PNG."""
    y, x = _grid(300, 400)
    picture = np.zeros((300, 400, 3), np.uint8)
    picture[..., 0] = 200 * x
    picture[..., 1] = 160 * (1 - y)
    picture[..., 2] = 40 * (1 + np.sin(20 * x) * np.cos(15 * y))
    pyvips.Image.new_from_array(picture, interpretation="srgb").pngsave(str(path), keep="none")
    return path


def sunset(path: Path) -> Path:
    """A picture in colours as JPEG."""
    y, x = _grid(480, 640)
    picture = np.zeros((480, 640, 3), np.uint8)
    picture[..., 0] = 120 + 130 * (1 - y)
    picture[..., 1] = 60 + 100 * _spot(y, x, (0.5, 0.6), 0.15)
    picture[..., 2] = 80 + 120 * y
    pyvips.Image.new_from_array(picture, interpretation="srgb").jpegsave(str(path), Q=90, keep="none")
    return path


def slide(path: Path) -> Path:
    """A plane of 10000 x 8000 8-bit pixels, which is more than OMERO reads without a pyramid."""
    y, x = _grid(800, 1000)
    cells = np.zeros((800, 1000))
    for centre_y, centre_x, width in np.random.default_rng(3).random((60, 3)):
        cells += _spot(y, x, (centre_y, centre_x), 0.01 + 0.03 * width)
    small = (np.clip(cells, 0, 1) * 200 + 20).astype(np.uint8)
    grain = np.random.default_rng(11).integers(0, 4, (800, 1000), dtype=np.uint8)
    noise = pyvips.Image.new_from_array(grain).replicate(10, 10)
    large = pyvips.Image.new_from_array(small).resize(10, kernel="nearest") + noise
    large.cast("uchar").copy(interpretation="b-w").tiffsave(
        str(path), compression="deflate", predictor="none", tile=True, tile_width=512, tile_height=512, keep="none"
    )
    return path


def main() -> int:
    """Write the samples and print their paths."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    for path in make_samples(Path(sys.argv[1])):
        print(f"{path}  {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

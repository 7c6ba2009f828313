from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import pyvips
import tifffile

from omeroadmin.errors import AdminError
from omeroadmin.repository.images import read_metadata
from omeroadmin.repository.layout import pyramid_lock_path
from omeroadmin.repository.planes import has_subresolutions, make_thumbnail, minimum_maximum, thumbnail_dimensions
from omeroadmin.repository.pyramids import TileSize, is_unviewable, make_pyramid, needs_pyramid
from omeroadmin.schema.settings import Settings
from omeroadmin.system import locks
from tests.support.samples import load_maker, sample_images  # noqa: F401 - a fixture

DEFAULTS = Settings({})


def write_ome(path: Path, xml: str, planes: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> Path:
    tifffile.imwrite(path, planes, photometric="minisblack", description=xml, metadata=None)
    return path


def ome(pixels: str, inner: str = "<TiffData/>", before: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0" Name="n"><Pixels ID="Pixels:0" Type="uint8" {pixels}>{inner}</Pixels></Image></OME>'
    )


def test_a_five_dimensional_ome_tiff(sample_images: Path) -> None:  # noqa: F811
    (image,) = read_metadata(sample_images / "zebrafish_embryo.ome.tif")
    assert image.name == "zebrafish_embryo.ome.tif"
    assert (image.size_x, image.size_y, image.size_z, image.size_c, image.size_t) == (128, 96, 5, 3, 3)
    assert image.pixel_type == "uint16"
    assert image.channel_names == ("DAPI", "GFP", "mCherry")
    assert image.dimension_order == "XYZCT"
    assert image.description.startswith("Nuclei")
    assert len(image.pages) == 45
    assert image.page(2, 1, 2) == (2 + 5 * 1 + 15 * 2, 0)


@pytest.mark.parametrize("name", ["flower_garden.tif", "maple_leaf.png", "sunset_harbour.jpg"])
def test_pictures_have_three_channels(sample_images: Path, name: str) -> None:  # noqa: F811
    (image,) = read_metadata(sample_images / name)
    assert image.name == name
    assert image.size_c == 3
    assert image.is_rgb
    assert image.pixel_type == "uint8"
    assert image.significant_bits == 8
    assert image.channel_names == ("Red", "Green", "Blue")


def test_samples_are_the_same_each_time(sample_images: Path, tmp_path: Path) -> None:  # noqa: F811
    made = load_maker()(tmp_path)
    assert len(made) == len(list(sample_images.iterdir())) == 5
    for path in made:
        assert path.read_bytes() == (sample_images / path.name).read_bytes()


def test_imagej_hyperstacks_are_sorted(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    data = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4, 1, 1) * np.ones((1, 1, 1, 8, 9), np.uint8)
    tifffile.imwrite(path, data, imagej=True, metadata={"axes": "TZCYX"})
    (image,) = read_metadata(path)
    assert (image.size_x, image.size_y, image.size_z, image.size_c, image.size_t) == (9, 8, 3, 4, 2)
    for t, z, c in np.ndindex(2, 3, 4):
        assert tifffile.imread(path, key=image.page(z, c, t)[0]).max() == data[t, z, c].max()


def test_pages_of_a_plain_tiff_are_times(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    tifffile.imwrite(path, np.zeros((4, 20, 30), np.float32), photometric="minisblack", metadata=None)
    (image,) = read_metadata(path)
    assert (image.size_z, image.size_c, image.size_t, image.pixel_type) == (1, 1, 4, "float")


def test_tiff_data_says_where_planes_are(tmp_path: Path) -> None:
    planes = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 5), np.uint8)
    parts = "".join(f'<TiffData IFD="{2 - z}" FirstZ="{z}" PlaneCount="1"/>' for z in range(3))
    sizes = 'DimensionOrder="XYZCT" SizeX="5" SizeY="4" SizeZ="3" SizeC="1" SizeT="1"'
    (image,) = read_metadata(write_ome(tmp_path / "a.ome.tif", ome(sizes, parts), planes))
    assert image.pages == (2, 1, 0)


def test_two_images_of_one_file(tmp_path: Path) -> None:
    planes = np.zeros((3, 4, 5), np.uint8)
    pixels = '<Pixels Type="uint8" DimensionOrder="XYZCT" SizeX="5" SizeY="4" SizeZ="1" SizeC="1" SizeT="{}"/>'
    first_xml, second_xml = pixels.format(1), pixels.format(2)
    xml = f'<OME><Image Name="a">{first_xml}</Image><Image Name="b">{second_xml}</Image></OME>'
    first, second = read_metadata(write_ome(tmp_path / "two.ome.tif", xml, planes))
    assert (first.name, first.series, first.pages) == ("a", 0, (0,))
    assert (second.name, second.series, second.pages) == ("b", 1, (1, 2))


GOOD = 'DimensionOrder="XYZCT" SizeX="5" SizeY="4" SizeZ="1" SizeC="1" SizeT="1"'
BOMB = '<!DOCTYPE OME [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (ome(GOOD, before=BOMB), "document type"),
        (ome(GOOD, before='<!DOCTYPE OME SYSTEM "file:///etc/passwd">'), "document type"),
        (ome(GOOD)[:-20] + "</OME>", "can't be read"),
        (ome(GOOD.replace('SizeX="5"', 'SizeX="6"')), "6 x 4"),
        (ome(GOOD.replace('SizeX="5"', 'SizeX="five"')), "invalid literal"),
        (ome(GOOD.replace('SizeX="5"', "")), "SizeX"),
        (ome(GOOD.replace('SizeZ="1"', 'SizeZ="999999999999"')), "where there are 1"),
        (ome(GOOD.replace('SizeZ="1"', 'SizeZ="0"')), "sizes"),
        (ome(GOOD.replace("XYZCT", "ZCTXY")), "dimension order"),
        (ome(GOOD, '<TiffData IFD="7"/>'), "plane 7"),
        (ome(GOOD, '<TiffData FirstZ="4" IFD="0"/>'), "where all planes are"),
        (ome(GOOD).replace("uint8", "quaternion"), "quaternion"),
        (
            ome(
                GOOD.replace('SizeT="1"', 'SizeT="1" '),
                '<TiffData IFD="0"><UUID FileName="a"/></TiffData><TiffData IFD="0"><UUID FileName="b"/></TiffData>',
            ),
            "not beside it",
        ),
    ],
)  # fmt: skip
def test_metadata_that_lies_is_refused_in_one_line(tmp_path: Path, xml: str, words: str) -> None:
    path = write_ome(tmp_path / "lie.ome.tif", xml, np.zeros((1, 4, 5), np.uint8))
    with pytest.raises(AdminError, match=words) as caught:
        read_metadata(path)
    assert caught.value.code == "unreadable-image"
    assert "\n" not in caught.value.message


def broken_files(samples: Path, directory: Path) -> dict[str, Path]:
    contents = {
        "empty.tif": b"",
        "text.txt": b"This is not an image.\n" * 50,
        "zeros.png": b"\0" * 5000,
        "start.tif": b"II*\0",
        "loop.tif": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
        "cut.png": (samples / "maple_leaf.png").read_bytes()[:20000],
        "cut.jpg": (samples / "sunset_harbour.jpg").read_bytes()[:9000],
        "cut.tif": (samples / "zebrafish_embryo.ome.tif").read_bytes()[:400_000],
        "cut_tiles.tif": (samples / "flower_garden.tif").read_bytes()[:3000],
        "script.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>',
    }
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    return {name: directory / name for name in contents}


def test_what_is_no_image_is_refused_in_one_line(sample_images: Path, tmp_path: Path) -> None:  # noqa: F811
    for name, path in broken_files(sample_images, tmp_path).items():
        with pytest.raises(AdminError) as caught:
            read_metadata(path)
        assert caught.value.code == "unreadable-image", name
        assert "\n" not in caught.value.message
        assert name in caught.value.message
        assert str(tmp_path) not in caught.value.message


def test_a_missing_file_is_another_failure(tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        read_metadata(tmp_path / "none.tif")
    assert caught.value.code == "file-not-read"


@pytest.mark.parametrize("seed", range(40))
def test_damaged_tiffs_are_read_or_refused(sample_images: Path, tmp_path: Path, seed: int) -> None:  # noqa: F811
    random = np.random.default_rng(seed)
    name = ("flower_garden.tif", "zebrafish_embryo.ome.tif")[seed % 2]
    content = bytearray((sample_images / name).read_bytes())
    for at in (
        *random.integers(0, 400, 6),
        *random.integers(0, len(content), 20),
        *(len(content) - random.integers(1, 3000, 10)),
    ):
        content[at] = random.integers(0, 256)
    path = tmp_path / name
    path.write_bytes(content)
    outcome = "read"
    try:
        assert read_metadata(path)
    except AdminError as error:
        outcome = error.code
    assert outcome in ("read", "unreadable-image")


def test_extremes_of_each_channel(tmp_path: Path) -> None:
    data = np.zeros((2, 3, 2, 6, 7), np.int16)
    data[1, 0, 1, 5, 6] = 300
    data[0, 1, 0, 2, 2] = -20
    data[:, 2] = 5
    path = tmp_path / "stack.ome.tif"
    tifffile.imwrite(path, data, ome=True, metadata={"axes": "TCZYX"})
    assert minimum_maximum(path) == ((0, 300), (-20, 0), (5, 5))


def test_extremes_of_a_picture(sample_images: Path) -> None:  # noqa: F811
    picture = tifffile.imread(sample_images / "flower_garden.tif")
    expected = tuple((picture[..., c].min(), picture[..., c].max()) for c in range(3))
    assert minimum_maximum(sample_images / "flower_garden.tif") == expected


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("zebrafish_embryo.ome.tif", (96, 72)),
        ("flower_garden.tif", (96, 72)),
        ("maple_leaf.png", (96, 72)),
        ("sunset_harbour.jpg", (96, 72)),
        ("tissue_slide.tif", (96, 77)),
    ],
)
def test_thumbnails_are_small_jpegs_with_content(sample_images: Path, name: str, size: tuple[int, int]) -> None:  # noqa: F811
    path = sample_images / name
    content = make_thumbnail(path, 96)
    picture = pyvips.Image.new_from_buffer(content, "")
    assert (picture.width, picture.height) == size == thumbnail_dimensions(read_metadata(path)[0], 96)
    assert picture.get("vips-loader") == "jpegload_buffer"
    assert picture.deviate() > 5


def test_thumbnails_of_odd_images(tmp_path: Path) -> None:
    small = tmp_path / "small.tif"
    tifffile.imwrite(small, np.full((3, 2), 7, np.uint32), photometric="minisblack", metadata=None)
    assert pyvips.Image.new_from_buffer(make_thumbnail(small, 96), "").width == 2
    two = tmp_path / "two.ome.tif"
    tifffile.imwrite(
        two, np.random.default_rng(1).random((2, 40, 300)).astype(np.float32), ome=True, metadata={"axes": "CYX"}
    )
    assert pyvips.Image.new_from_buffer(make_thumbnail(two, 96), "").height == 13
    alpha = tmp_path / "alpha.png"
    pyvips.Image.black(50, 50, bands=4).copy(interpretation="srgb").pngsave(str(alpha))
    assert read_metadata(alpha)[0].channel_names == ("Red", "Green", "Blue", "Alpha")
    assert pyvips.Image.new_from_buffer(make_thumbnail(alpha, 96), "").avg() > 250


def test_which_images_need_a_pyramid(sample_images: Path, tmp_path: Path) -> None:  # noqa: F811
    (slide,) = read_metadata(sample_images / "tissue_slide.tif")
    assert needs_pyramid(slide, DEFAULTS)
    (leaf,) = read_metadata(sample_images / "maple_leaf.png")
    assert not needs_pyramid(leaf, DEFAULTS)
    small_planes = {"omero.pixeldata.max_plane_width": "100", "omero.pixeldata.max_plane_height": "100"}
    assert needs_pyramid(leaf, Settings(small_planes))
    path = tmp_path / "float.tif"
    tifffile.imwrite(path, np.zeros((200, 200), np.float32), photometric="minisblack")
    (floating,) = read_metadata(path)
    assert not needs_pyramid(floating, Settings(small_planes))
    assert not is_unviewable(floating, Settings(small_planes))
    strict = Settings({**small_planes, "omero.pixeldata.max_plane_float_override": "false"})
    assert not needs_pyramid(floating, strict)
    assert is_unviewable(floating, strict)
    assert not is_unviewable(leaf, strict)


def test_files_that_bring_their_own_pyramid(sample_images: Path, tmp_path: Path) -> None:  # noqa: F811
    pyvips.Image.new_from_file(str(sample_images / "maple_leaf.png")).tiffsave(
        str(tmp_path / "own.tif"), tile=True, pyramid=True, subifd=True
    )
    assert has_subresolutions(tmp_path / "own.tif")
    assert not has_subresolutions(sample_images / "tissue_slide.tif")
    assert not has_subresolutions(sample_images / "maple_leaf.png")


@pytest.mark.parametrize("name", ["zebrafish_embryo.ome.tif", "flower_garden.tif"])
def test_pyramids_hold_every_plane(sample_images: Path, tmp_path: Path, name: str) -> None:  # noqa: F811
    source, target = sample_images / name, tmp_path / "Pixels" / "Dir-001" / "1000_pyramid"
    (image,) = read_metadata(source)
    tile = TileSize.from_settings(Settings({"omero.pixeldata.tile_width": "60", "omero.pixeldata.tile_height": "64"}))
    make_pyramid(source, target, tile=tile)
    with tifffile.TiffFile(target) as file:
        assert len(file.pages) == len(image.pages)
        page = file.pages.first
        assert (page.tilewidth, page.tilelength) == (64, 64)
        assert page.subifds
        for number, original in enumerate(image.pages):
            assert np.array_equal(file.pages[number].asarray(), tifffile.imread(source, key=original))
    (read_back,) = read_metadata(target)
    assert read_back.channel_names == image.channel_names
    assert [path.name for path in target.parent.iterdir()] == ["1000_pyramid"]


def test_the_pyramid_of_a_large_image_takes_little_memory(sample_images: Path, tmp_path: Path) -> None:  # noqa: F811
    program = (
        "import re, sys\nfrom pathlib import Path\n"
        "from omeroadmin.repository.planes import make_thumbnail, minimum_maximum\n"
        "from omeroadmin.repository.pyramids import make_pyramid\n"
        "source = Path(sys.argv[1])\n"
        "make_pyramid(source, Path(sys.argv[2]))\nminimum_maximum(source)\nmake_thumbnail(source, 96)\n"
        # Not ru_maxrss: that begins with the memory of whoever started the process.
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(sample_images / "tissue_slide.tif"), str(tmp_path / "1_pyramid")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) < 200, "80 million pixels"
    with tifffile.TiffFile(tmp_path / "1_pyramid") as file:
        assert len(file.pages.first.subifds or ()) >= 5


def test_a_cancelled_pyramid_leaves_nothing(sample_images: Path, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(AdminError) as caught:
        make_pyramid(sample_images / "tissue_slide.tif", tmp_path / "1_pyramid", is_cancelled=lambda: True)
    assert caught.value.code == "cancelled"
    assert not list(tmp_path.iterdir())


def test_leftovers_of_a_killed_process_are_removed(sample_images: Path, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / ".1_pyramid.0123.tmp").write_bytes(b"half")
    (tmp_path / ".11_pyramid.0123.tmp").write_bytes(b"another's")
    make_pyramid(sample_images / "maple_leaf.png", tmp_path / "1_pyramid")
    assert {path.name for path in tmp_path.iterdir()} == {"1_pyramid", ".11_pyramid.0123.tmp"}


def test_two_do_not_write_one_pyramid(
    sample_images: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = tmp_path / "1_pyramid"
    monkeypatch.setattr("omeroadmin.repository.pyramids._LOCK_SECONDS", 0.1)
    with locks.exclusive(pyramid_lock_path(target), what="pyramid"), pytest.raises(AdminError) as caught:
        make_pyramid(sample_images / "maple_leaf.png", target)
    assert caught.value.code == "locked"


def test_broken_planes_fail_in_one_line(sample_images: Path, tmp_path: Path) -> None:  # noqa: F811
    content = bytearray((sample_images / "flower_garden.tif").read_bytes())
    content[700:4000] = bytes(3300)
    path = tmp_path / "broken.tif"
    path.write_bytes(content)
    for work in (
        lambda: minimum_maximum(path),
        lambda: make_thumbnail(path, 96),
        lambda: make_pyramid(path, tmp_path / "1_pyramid"),
    ):
        with pytest.raises(AdminError) as caught:
            work()
        assert caught.value.code == "unreadable-image"
        assert "\n" not in caught.value.message
    assert not (tmp_path / "1_pyramid").exists()

"""Files that common decoders show wrongly: each kind is made here, and has to come out as the photo that it holds."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from sorter.photos.boxes import Colours
from sorter.photos.decode import Decoder
from sorter.photos.raw import RawPicture
from sorter.photos.tiff import READS_24_BITS, encode_srgb
from sorter.photos.tone import convert_colours
from sorter.types import Decoded, Failure, Reason

WIDTH, HEIGHT = 61, 43
# Python 3.10 gets no imagecodecs that reads them.
BITS_24 = [24] if tuple(map(int, imagecodecs.__version__.split(".")[:3])) >= READS_24_BITS else []


def scene(channels: int = 3) -> NDArray[np.uint8]:
    """Smooth, bright in one corner, each channel another: uint8 (HEIGHT, WIDTH, channels)."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [60 + 120 * x / WIDTH, 30 + 200 * y / HEIGHT, 200 - 100 * x / WIDTH][:channels]
    return np.stack(planes, axis=-1).round().astype(np.uint8)


def decoded(path: Path) -> NDArray[np.uint8]:
    found = Decoder(None)(path)
    assert isinstance(found, Decoded), found
    return found.pixels


def failure(path: Path) -> Failure:
    found = Decoder(None)(path)
    assert isinstance(found, Failure), found
    return found


def assert_alike(found: NDArray[np.uint8], expected: NDArray[np.uint8], within: float = 2) -> None:
    wanted = np.broadcast_to(expected if expected.ndim == 3 else expected[..., None], (HEIGHT, WIDTH, 3))
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= within


def deep(values: NDArray[np.uint8], bits: int) -> NDArray[Any]:
    """The same picture with so many bits."""
    kind = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    return (values.astype(np.float64) * ((1 << bits) - 1) / 255).round().astype(kind)


# -- TIFF ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("bits", [8, 16, 32])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_tiff_colours_of_any_depth_and_layout(tmp_path: Path, planar: str, bits: int, byteorder: str) -> None:
    values = deep(scene(), bits)
    stored = values if planar == "contig" else np.moveaxis(values, -1, 0)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stored, photometric="rgb", planarconfig=planar, byteorder=byteorder)
    assert_alike(decoded(path), scene())


@pytest.mark.parametrize("bits", [2, 4, 8, 10, 12, 14, 16, *BITS_24, 32])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_tiff_grey_of_any_depth(tmp_path: Path, bits: int, white_is_zero: bool) -> None:
    grey = scene(1)[..., 0]
    values = deep(grey, bits).astype(np.uint64)
    if white_is_zero:
        values = (1 << bits) - 1 - values
    path = tmp_path / "a.tif"
    path.write_bytes(packed_tiff(values, bits, 0 if white_is_zero else 1))
    assert_alike(decoded(path), grey, within=255 / ((1 << bits) - 1) / 2 + 2)


def test_a_tiff_of_24_bits_is_unsupported_by_an_imagecodecs_that_swaps_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagecodecs, "__version__", "2025.11.11")
    (tmp_path / "a.tif").write_bytes(packed_tiff(deep(scene(1)[..., 0], 24).astype(np.uint64), 24, 1))
    found = failure(tmp_path / "a.tif")
    assert found.reason is Reason.UNSUPPORTED
    assert "imagecodecs>=2026.3.6" in found.message


def packed_tiff(values: NDArray[np.uint64], bits: int, photometric: int) -> bytes:
    """A little-endian grey TIFF whose samples are packed without gaps, each row from a whole byte."""
    height, width = values.shape
    if bits in (16, 32):
        rows = b"".join(row.astype(f"<u{bits // 8}").tobytes() for row in values)
    elif bits == 24:
        rows = b"".join(struct.pack("<I", int(value))[:3] for row in values for value in row)
    else:
        shifts = np.arange(bits - 1, -1, -1, dtype=np.uint64)
        unpacked = ((values[..., None] >> shifts) & np.uint64(1)).astype(np.uint8).reshape(height, -1)
        rows = np.packbits(unpacked, axis=1).tobytes()
    tags = [
        (256, 3, width),
        (257, 3, height),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, photometric),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, height),
        (279, 4, len(rows)),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    pad = b"\0" * (len(rows) % 2)
    directory = struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"
    return b"II*\0" + struct.pack("<I", 8 + len(rows) + len(pad)) + rows + pad + directory


def test_tiff_of_twelve_bits_in_sixteen_is_not_black(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", deep(scene(), 12).astype(np.uint16), photometric="rgb")
    assert_alike(decoded(tmp_path / "a.tif"), scene())
    Image.fromarray(deep(scene(1)[..., 0], 12).astype(np.uint16)).save(tmp_path / "b.png")
    assert_alike(decoded(tmp_path / "b.png"), scene(1))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("top", [1, 255])
def test_tiff_of_floats(tmp_path: Path, dtype: type, top: int) -> None:
    values = (scene().astype(np.float64) * top / 255).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb")
    assert_alike(decoded(tmp_path / "a.tif"), scene())


@pytest.mark.parametrize("entries", [255, 65535])
def test_tiff_with_a_palette_of_bytes(tmp_path: Path, entries: int) -> None:
    ramp = np.arange(256)
    table = np.stack([ramp, 255 - ramp, ramp // 2]) * (entries // 255)
    indices = scene(1)[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", indices, photometric="palette", colormap=table.astype(np.uint16))
    assert_alike(decoded(tmp_path / "a.tif"), np.stack([indices, 255 - indices, indices // 2], axis=-1))


@pytest.mark.parametrize("tile", [(16, 16), (32, 48)])
def test_tiff_of_tiles_that_do_not_fit(tmp_path: Path, tile: tuple[int, int]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", scene(), photometric="rgb", tile=tile, compression="zlib")
    assert_alike(decoded(tmp_path / "a.tif"), scene())


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_big_tiff_of_both_byte_orders(tmp_path: Path, byteorder: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", scene(), photometric="rgb", bigtiff=True, byteorder=byteorder)
    assert_alike(decoded(tmp_path / "a.tif"), scene())


@pytest.mark.parametrize(("kind", "premultiplied"), [("assocalpha", True), ("unassalpha", False)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [8, 16])
def test_tiff_transparency_is_on_white(
    tmp_path: Path, kind: str, premultiplied: bool, channels: int, bits: int
) -> None:
    colour = scene(channels)
    alpha = np.full((HEIGHT, WIDTH, 1), 255, np.uint8)
    alpha[:, : WIDTH // 2] = 51
    expected = (colour * (alpha / 255) + 255 * (1 - alpha / 255)).round().astype(np.uint8)
    stored = (colour * (alpha / 255)).round().astype(np.uint8) if premultiplied else colour
    values = deep(np.concatenate([stored, alpha], axis=2), bits)
    photometric = "rgb" if channels == 3 else "minisblack"
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values, photometric=photometric, extrasamples=[kind], planarconfig="contig")
    assert_alike(decoded(path), expected)


@pytest.mark.parametrize("bits", [8, 16])
def test_tiff_of_cielab(tmp_path: Path, bits: int) -> None:
    """L* = 53.24, a* = 80.09, b* = 67.20 under D65 is pure red; under D50 it is 54.29, 80.80, 69.89."""
    lab = np.array([54.29, 80.80, 69.89])
    if bits == 8:
        stored = np.array([lab[0] * 2.55, lab[1], lab[2]]).round().astype(np.int8).view(np.uint8)
        stored[0] = round(lab[0] * 2.55)
    else:
        stored = np.array([lab[0] * 655.35, lab[1] * 256, lab[2] * 256]).round().astype(np.uint16)
    values = np.tile(stored, (HEIGHT, WIDTH, 1))
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="cielab")
    assert_alike(decoded(tmp_path / "a.tif"), np.full((HEIGHT, WIDTH, 3), (255, 0, 0), np.uint8), within=4)


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_tiff_of_cmyk(tmp_path: Path, planar: str) -> None:
    cmyk = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    cmyk[..., :3] = 255 - scene()
    stored = cmyk if planar == "contig" else np.moveaxis(cmyk, -1, 0)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="separated", planarconfig=planar)
    assert_alike(decoded(tmp_path / "a.tif"), scene())


def test_a_reduced_first_page_is_not_the_photo(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(scene()[::8, ::8], photometric="rgb", subfiletype=1)
        tiff.write(scene(), photometric="rgb")
    assert_alike(decoded(tmp_path / "a.tif"), scene())


def test_a_tiff_that_is_cut_short_is_truncated_whoever_reads_it(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif", deep(scene(), 16), photometric="rgb", compression="zlib", rowsperstrip=8
    )
    whole = (tmp_path / "a.tif").read_bytes()
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        last = tiff.pages.first.dataoffsets[-1]  # type: ignore[union-attr]
    (tmp_path / "a.tif").write_bytes(whole[: last + 4])
    assert failure(tmp_path / "a.tif").reason is Reason.TRUNCATED


def test_tiff_of_a_compression_that_nothing_reads_is_unsupported(tmp_path: Path) -> None:
    values = scene(1)[..., 0].astype(np.uint64)
    for compression in (6, 34676):
        data = packed_tiff(values, 8, 1).replace(
            struct.pack("<HHII", 259, 3, 1, 1), struct.pack("<HHII", 259, 3, 1, compression)
        )
        (tmp_path / "a.tif").write_bytes(data)
        found = failure(tmp_path / "a.tif")
        assert found.reason is Reason.UNSUPPORTED
        assert "is not read; convert it" in found.message


def test_a_damaged_tiff_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tifffile.imwrite(tmp_path / "a.tif", deep(scene(), 16), photometric="rgb", planarconfig="separate")
    whole = (tmp_path / "a.tif").read_bytes()
    at = int.from_bytes(whole[4:8], "little")
    (tmp_path / "a.tif").write_bytes(whole[:4] + (at + 100_000).to_bytes(4, "little") + whole[8:])
    failure(tmp_path / "a.tif")
    assert capfd.readouterr().err == ""


# -- raw -------------------------------------------------------------------------------------------------------


def test_a_dng_is_developed_and_never_its_thumbnail(tmp_path: Path) -> None:
    path = write_dng(tmp_path / "a.dng")
    found = Decoder(None)(path)
    assert isinstance(found, Decoded), found
    assert (found.width, found.height) == (256, 192)
    assert min(found.pixels.shape[:2]) >= 96
    assert found.pixels[..., 0].mean() > found.pixels[..., 2].mean() + 30  # red, as the sensor was lit


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_raw_is_upright_by_its_preview_and_developed(
    tmp_path: Path, orientation: int, preview: bool
) -> None:
    stored = np.zeros((480, 640), np.uint8)
    stored[:240], stored[:, :320] = 90, 40
    stored[:240, :320] = 200
    turned = Image.fromarray(stored)
    turned.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(turned))
    path = write_dng(tmp_path / "a.dng", stored, orientation, preview)
    found = Decoder(None)(path)
    assert isinstance(found, Decoded), found
    assert (found.height, found.width) == upright.shape
    assert found.pixels.shape[:2] == (
        upright.shape if preview else tuple(side // 2 for side in upright.shape)
    )
    corners = [(0, 0), (0, -1), (-1, 0), (-1, -1)]
    brightest = max(corners, key=lambda at: int(upright[at]))
    middle = found.pixels.shape[0] // 4, found.pixels.shape[1] // 4
    assert (
        max(corners, key=lambda at: int(found.pixels[_within(at, middle, found.pixels.shape)].sum()))
        == brightest
    )


def _within(corner: tuple[int, int], by: tuple[int, int], shape: tuple[int, ...]) -> tuple[int, int]:
    """A place inside the quarter of a corner."""
    return tuple(step if at == 0 else side - step for at, step, side in zip(corner, by, shape, strict=False))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("applied", "preview", "turn"),
    [(6, (480, 640), 1), (6, (640, 480), 8), (0, (640, 480), 6), (1, (640, 480), 6)],
    ids=["LibRaw says it", "the camera had turned it", "nobody says it", "it says otherwise"],
)
def test_a_preview_is_turned_once(applied: int, preview: tuple[int, int], turn: int) -> None:
    tags = Image.Exif()
    if applied:
        tags[0x0112] = applied
    raw = RawPicture(jpeg_of(tags), None, 6, 480, 640)
    assert raw.turn_of_preview(*preview) == turn
    assert RawPicture(jpeg_of(tags), None, 3, 640, 480).turn_of_preview(640, 480) == (1 if applied else 3)


def jpeg_of(tags: Image.Exif) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (8, 8)).save(held, "JPEG", exif=tags)
    return held.getvalue()


def write_dng(
    path: Path, grey: NDArray[np.uint8] | None = None, orientation: int = 1, preview: bool = False
) -> Path:
    """A DNG: a 16 x 12 thumbnail of another colour first, the colour filter array in a second page.

    Args:
        grey: what the sensor saw, uint8 (height, width); None for one colour, 256 x 192.
        preview: with a JPEG of the whole photo, as it is stored.
    """
    mosaic = np.zeros((192, 256), np.uint16)
    mosaic[0::2, 0::2], mosaic[0::2, 1::2] = 30_000, 12_000
    mosaic[1::2, 0::2], mosaic[1::2, 1::2] = 12_000, 6_000
    if grey is not None:
        mosaic = grey.astype(np.uint16) * 200
    identity = (1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1)
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(
            np.full((12, 16, 3), (0, 0, 200), np.uint8),
            photometric="rgb",
            subfiletype=1,
            subifds=1 + preview,
            metadata=None,
            extratags=[
                (274, 3, 1, orientation, True),
                (50706, 1, 4, (1, 4, 0, 0), True),
                (50708, 2, 0, "Test", True),
                (50721, 10, 9, identity, True),
                (50728, 5, 3, (1, 1, 1, 1, 1, 1), True),
                (50778, 3, 1, 21, True),
            ],
        )
        tiff.write(
            mosaic,
            photometric=32803,
            subfiletype=0,
            extratags=[
                (33421, 3, 2, (2, 2), True),
                (33422, 1, 4, (0, 1, 1, 2), True),
                (50717, 4, 1, 65535, True),
            ],
        )
        if preview and grey is not None:
            held = io.BytesIO()
            Image.fromarray(grey).convert("RGB").save(held, "JPEG", subsampling="4:2:0")
            how = {"photometric": "ycbcr", "compression": "jpeg", "subsampling": (2, 2), "metadata": None}
            shape = (*grey.shape, 3)
            tiff.write(
                iter([held.getvalue()]), shape=shape, dtype=np.uint8, subfiletype=1, rowsperstrip=480, **how
            )
    return path


# -- PNG, GIF, BMP, JPEG ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("colour", [0, 2])
def test_png_with_a_transparent_value_of_sixteen_bits(tmp_path: Path, colour: int) -> None:
    """Only the very value is transparent, not those that share its high byte."""
    channels = 1 if colour == 0 else 3
    values = np.full((HEIGHT, WIDTH, channels), 0x2010, ">u2")
    values[: HEIGHT // 2] = 0x2011
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    path = tmp_path / "a.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, colour, 0, 0, 0))
        + chunk(b"tRNS", struct.pack(">H", 0x2011) * channels)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    expected = np.full((HEIGHT, WIDTH, 3), 0x20, np.uint8)
    expected[: HEIGHT // 2] = 255
    assert_alike(decoded(path), expected)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def test_png_with_megabytes_of_text_and_profile(tmp_path: Path) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * (3 << 20), zip=True)
    Image.fromarray(scene()).save(tmp_path / "a.png", pnginfo=info)
    assert_alike(decoded(tmp_path / "a.png"), scene())


def test_gif_whose_first_frame_is_smaller_than_its_canvas(tmp_path: Path) -> None:
    small = Image.new("P", (20, 10), 0)
    small.putpalette([200, 30, 30] + [0, 0, 0] * 255)
    held = io.BytesIO()
    small.save(held, "GIF")
    data = bytearray(held.getvalue())
    data[6:10] = struct.pack("<HH", WIDTH, HEIGHT)  # the canvas; the frame keeps its own size
    at = data.index(b"\x2c", 13 + 3 * (2 << (data[10] & 7)))
    data[at + 1 : at + 5] = struct.pack("<HH", 5, 7)
    (tmp_path / "a.gif").write_bytes(data)
    expected = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    expected[7:17, 5:25] = (200, 30, 30)
    assert_alike(decoded(tmp_path / "a.gif"), expected)


@pytest.mark.parametrize("masks", [(0x7FF, 0x7FF << 11, 0x3FF << 22), (0xFF << 24, 0xFF << 16, 0xFF << 8)])
def test_bmp_with_bit_fields(tmp_path: Path, masks: tuple[int, int, int]) -> None:
    pixels = scene().astype(np.uint64)
    words = np.zeros((HEIGHT, WIDTH), np.uint64)
    for channel, mask in enumerate(masks):
        shift = (mask & -mask).bit_length() - 1
        top = mask >> shift
        words |= ((pixels[..., channel] * top + 127) // 255) << np.uint64(shift)
    body = words[::-1].astype("<u4").tobytes()
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 32, 3, len(body), 0, 0, 0, 0)
    begins = 14 + 40 + 12
    start = b"BM" + struct.pack("<IHHI", begins + len(body), 0, 0, begins)
    (tmp_path / "a.bmp").write_bytes(start + header + struct.pack("<III", *masks) + body)
    assert_alike(decoded(tmp_path / "a.bmp"), scene())


def test_jpeg_of_twelve_bits(tmp_path: Path) -> None:
    import imagecodecs

    data = imagecodecs.jpeg8_encode(deep(scene(), 12), level=98, bitspersample=12, subsampling="444")
    (tmp_path / "a.jpg").write_bytes(data)
    assert_alike(decoded(tmp_path / "a.jpg"), scene(), within=6)


@pytest.mark.parametrize("kind", ["12 bits", "lossless"])
def test_a_cut_jpeg_of_more_than_eight_bits_is_truncated(tmp_path: Path, kind: str) -> None:
    """Its codecs fill up what is missing without a word. A thumbnail in front has an end marker of its own."""
    import imagecodecs

    if kind == "lossless":
        data = bytes(imagecodecs.ljpeg_encode(deep(scene(1)[..., 0], 12), bitspersample=12))
    else:
        data = bytes(imagecodecs.jpeg8_encode(deep(scene(), 12), level=98, bitspersample=12))
    thumbnail = b"\xff\xe1" + struct.pack(">H", 8) + b"Exif\xff\xd9"
    (tmp_path / "a.jpg").write_bytes(data[:2] + thumbnail + data[2 : len(data) // 2])
    assert failure(tmp_path / "a.jpg").reason is Reason.TRUNCATED


def test_jpeg_without_height_is_told_of_in_a_sentence(tmp_path: Path) -> None:
    held = io.BytesIO()
    Image.fromarray(scene()).save(held, "JPEG")
    data = bytearray(held.getvalue())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 7] = b"\0\0"
    (tmp_path / "a.jpg").write_bytes(data)
    found = failure(tmp_path / "a.jpg")
    assert found.reason is Reason.CORRUPT
    assert "height" in found.message
    assert "MPO" not in found.message


def test_xmp_alone_does_not_turn_a_jpeg(tmp_path: Path) -> None:
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    Image.fromarray(scene()).save(tmp_path / "a.jpg", quality=95, subsampling=0, xmp=xmp)
    assert decoded(tmp_path / "a.jpg").shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("exif", [False, True])
def test_only_exif_turns_a_png(tmp_path: Path, exif: bool) -> None:
    """XMP alone does not, and EXIF may stand behind the pixels."""
    info = PngImagePlugin.PngInfo()
    xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    info.add_itxt("XML:com.adobe.xmp", xmp)
    held = io.BytesIO()
    Image.fromarray(scene()).save(held, "PNG", pnginfo=info)
    data = held.getvalue()
    if exif:
        turned = Image.Exif()
        turned[0x0112] = 6
        data = data[:-12] + chunk(b"eXIf", turned.tobytes().removeprefix(b"Exif\0\0")) + data[-12:]
    (tmp_path / "a.png").write_bytes(data)
    assert decoded(tmp_path / "a.png").shape == ((WIDTH, HEIGHT, 3) if exif else (HEIGHT, WIDTH, 3))


# -- colours ---------------------------------------------------------------------------------------------------


def test_a_profile_is_srgb_by_its_curves_and_not_by_its_name(tmp_path: Path) -> None:
    """Linear light under the name of sRGB is converted; sRGB itself is left alone."""
    linear = linear_profile()
    held = scene()
    stored = (((held / 255 + 0.055) / 1.055) ** 2.4 * 255).round().astype(np.uint8)
    Image.fromarray(stored).save(tmp_path / "a.png", icc_profile=linear)
    bright = held > 80  # darker values lose too much in 8 bits of linear light
    assert np.abs(decoded(tmp_path / "a.png").astype(int) - held)[bright].max() <= 4
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(held).save(tmp_path / "b.png", icc_profile=plain)
    assert np.array_equal(decoded(tmp_path / "b.png"), held)


def linear_profile() -> bytes:
    """LittleCMS's sRGB profile with its three curves replaced by straight lines."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    (count,) = struct.unpack(">I", data[128:132])
    for number in range(count):
        tag, offset, _ = struct.unpack(">4sII", data[132 + 12 * number : 144 + 12 * number])
        if tag in (b"rTRC", b"gTRC", b"bTRC"):
            # A parametric curve of kind 0, y = x ** 1, in the place of kind 3.
            data[offset : offset + 16] = b"para\0\0\0\0\0\0\0\0" + struct.pack(">I", 1 << 16)
    assert b"s\0R\0G\0B" in data
    return bytes(data)


def test_wide_and_bright_colours_without_a_profile_are_shown_as_a_viewer_does() -> None:
    white = np.full((2, 2, 3), 255, np.uint8)
    grey = np.full((2, 2, 3), 128, np.uint8)
    # sRGB's own grey stays grey in P3, which shares its white and its curve.
    assert np.abs(convert_colours(grey, Colours(12, 13)).astype(int) - 128).max() <= 1
    # PQ: 203 nits, reference white, is code 0.58; Reinhard's curve takes it to about half the light.
    reference = np.full((2, 2, 3), round(0.5807 * 255), np.uint8)
    expected = encode_srgb(np.full((2, 2, 3), (1 + (203 / 1000) ** 2) / 2))
    assert np.abs(convert_colours(reference, Colours(9, 16)).astype(int) - expected).max() <= 3
    assert convert_colours(white, Colours(9, 16)).min() >= 250
    # HLG: its peak of 1,000 nits is the white of the screen.
    assert convert_colours(white, Colours(9, 18)).min() >= 250
    # The red of BT.2020 lies outside of sRGB, and stays the reddest that there is.
    red = convert_colours(np.full((2, 2, 3), (255, 0, 0), np.uint8), Colours(9, 13))
    assert red[0, 0].tolist() == [255, 0, 0]

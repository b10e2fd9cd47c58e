"""What only our decoder cannot read is `unsupported`, never `broken`, and stays unless --remove names it."""

from __future__ import annotations

import io
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from damage import encode, picture
from PIL import Image, PngImagePlugin
from support.cleaning import jpeg, look, put
from support.commands import hashes

from sorter.clean.examine import Examine
from sorter.clean.records import Examined
from sorter.clean.tiff import tiff_pages
from sorter.types import Failure, Limits, Photo


def tiff(
    samples: np.ndarray, kind: int, big: bool = False, order: str = "<", compression: int = 1, **tags: int
) -> bytes:
    """An uncompressed TIFF of one strip; `kind` is the sample format (1 unsigned, 3 float)."""
    height, width, channels = samples.shape
    raw = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    start, word = (16, "Q") if big else (8, "I")
    values = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", [samples.dtype.itemsize * 8] * channels),
        259: ("H", [compression]),
        262: ("H", [2 if channels == 3 else 1]),
        273: (word, [start]),
        277: ("H", [channels]),
        278: ("I", [height]),
        279: (word, [len(raw)]),
        **({338: ("H", [tags["extra"]])} if "extra" in tags else {}),
        339: ("H", [kind] * channels),
    }
    codes, at = {"H": 3, "I": 4, "Q": 16}, start + len(raw)
    extra, entries = b"", b""
    for tag, (code, numbers) in sorted(values.items()):
        packed = struct.pack(f"{order}{len(numbers)}{code}", *numbers)
        room = 8 if big else 4
        if len(packed) > room:
            entries += struct.pack(
                order + "HH" + word + word, tag, codes[code], len(numbers), at + len(extra)
            )
            extra += packed
        else:
            entries += struct.pack(order + "HH" + word, tag, codes[code], len(numbers))
            entries += packed.ljust(room, b"\0")
    mark = b"II" if order == "<" else b"MM"
    first = at + len(extra)
    if big:
        head = mark + struct.pack(order + "HHHQ", 43, 8, 0, first)
        directory = struct.pack(order + "Q", len(values)) + entries + bytes(8)
    else:
        head = mark + struct.pack(order + "HI", 42, first)
        directory = struct.pack(order + "H", len(values)) + entries + bytes(4)
    return head + raw + extra + directory


def grid(dtype: str, channels: int = 3) -> np.ndarray:
    return (np.asarray(picture(3))[..., :channels].astype(np.float64) / 255).astype(dtype)


def twelve_bit() -> bytes:
    data = bytearray(jpeg(1))
    data[data.index(b"\xff\xc0") + 4] = 12
    return bytes(data)


def sequence() -> bytes:
    """Boxes of a HEIC image sequence: no primary item, but a movie."""
    brands = b"msf1" + bytes(4) + b"msf1hevcheic"
    boxes = ((b"ftyp", brands), (b"moov", bytes(200)), (b"mdat", bytes(500)))
    return b"".join(struct.pack(">I", len(data) + 8) + name + data for name, data in boxes)


def bitfields() -> bytes:
    """A BMP of 32 bits with ten bits a channel."""
    header = struct.pack("<IiiHHIIiiII", 108, 64, 64, 1, 32, 3, 64 * 64 * 4, 2835, 2835, 0, 0)
    header += struct.pack("<4I", 0x3FF00000, 0x000FFC00, 0x000003FF, 0).ljust(108 - 40, b"\0")
    pixels = np.random.default_rng(0).integers(0, 1 << 30, 64 * 64, np.uint32).tobytes()
    return (
        struct.pack("<2sIHHI", b"BM", 14 + len(header) + len(pixels), 0, 0, 14 + len(header))
        + header
        + pixels
    )


def long_text() -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "many words " * 300_000, zip=True)
    return encode(picture(2), "PNG", pnginfo=text)


def without_size_property() -> bytes:
    data = encode(picture(4).convert("RGBA"), "AVIF")
    assert b"ispe" in data
    return data.replace(b"ispe", b"xspe")


FILES: dict[str, Callable[[], bytes]] = {
    "12-bit.jpg": twelve_bit,
    "lossless.jpg": lambda: jpeg(1).replace(b"\xff\xc0", b"\xff\xc3", 1),
    "sequence.heic": sequence,
    "float.tif": lambda: tiff(grid("f4"), 3),
    "32-bit.tif": lambda: tiff((grid("f8") * 4e9).astype("u4"), 1),
    "big-endian-big.tif": lambda: tiff((grid("f8") * 255).astype("u1"), 1, big=True, order=">"),
    "grey-associated-alpha.tif": lambda: tiff((grid("f8", 2) * 255).astype("u1"), 1, extra=1),
    "rare-compression.tif": lambda: tiff((grid("f8") * 255).astype("u1"), 1, compression=34887),
    "no-size.avif": without_size_property,
    "camera.GPR": lambda: encode(picture(5), "TIFF"),
    "32-bit.bmp": bitfields,
    "text.png": long_text,
    "profile.png": lambda: encode(picture(6), "PNG", icc_profile=bytes(3 << 20)),
    "video.jpg": lambda: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(4000),
}


def test_a_whole_file_of_a_rare_kind_is_never_called_broken(tmp_path: Path) -> None:
    root = tmp_path / "in"
    for name, make in FILES.items():
        put(root / name, make())
    before = hashes(root)
    summary, rows = look(root, similarity=0)
    wrong = {
        name: (row["verdict"], row["reasons"])
        for name, row in rows.items()
        if row["verdict"] in ("broken", "unreadable", "damaged", "junk")
    }
    assert not wrong
    # Each message has to say what to do.
    for name, row in rows.items():
        if row["verdict"] == "unsupported":
            words = ("convert", "export", "save it", "install")
            assert any(word in row["reasons"] for word in words), (name, row["reasons"])
    assert not summary.actions and hashes(root) == before


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_same_file_cut_short_is_no_photo_to_keep_comparing(name: str, tmp_path: Path) -> None:
    """A cut file is broken where its structure shows it, and unsupported in doubt. It is never a good photo."""
    data = FILES[name]()
    put(tmp_path / "in" / name, data[: len(data) // 2])
    _, rows = look(tmp_path / "in", remove=())
    assert rows[name]["verdict"] in ("broken", "unsupported", "damaged")


def test_unsupported_files_are_removed_by_name_only(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "video.jpg", FILES["video.jpg"]())
    put(root / "sequence.heic", sequence())
    others = ("broken", "damaged", "misnamed", "duplicates", "near-duplicates", "poor", "junk")
    assert look(root, remove=others)[0].actions == {}
    assert look(root, remove=("unsupported",))[0].actions == {"quarantined": 2}


def test_a_photo_above_the_limit_names_the_flag(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "panorama.png", encode(picture(0, 900, 100), "PNG"))
    put(root / "panorama.jpg", encode(picture(1, 900, 100), "JPEG"))
    summary, rows = look(root, limits=Limits(megapixels=0.05))
    for row in rows.values():
        assert row["verdict"] == "unsupported" and "--max-megapixels" in row["reasons"]
    assert not summary.actions


def test_a_later_page_of_a_rare_kind_is_no_damage(tmp_path: Path) -> None:
    """The second page is of a compression that nothing here decodes."""
    root = tmp_path / "in"
    first = tiff((grid("f8") * 255).astype("u1"), 1)
    second = tiff((grid("f8") * 255).astype("u1"), 1, compression=34887)
    shift = len(first)
    (at,) = struct.unpack_from("<I", second, 4)
    directory = bytearray(second[at:])
    for number in range(struct.unpack_from("<H", directory)[0]):
        tag, kind, count, value = struct.unpack_from("<HHII", directory, 2 + number * 12)
        if tag == 273 or count * {3: 2, 4: 4}[kind] > 4:
            struct.pack_into("<I", directory, 10 + number * 12, value + shift)
    data = bytearray(first + second[:at] + bytes(directory))
    struct.pack_into("<I", data, len(first) - 4, shift + at)
    put(root / "pages.tif", bytes(data))
    assert [page.whole for page in tiff_pages(bytes(data))] == [True, True]
    _, rows = look(root)
    assert rows["pages.tif"]["verdict"] not in ("broken", "damaged"), rows["pages.tif"]["reasons"]


def test_directories_of_a_tiff_show_whether_it_is_whole() -> None:
    whole = tiff(grid("f4"), 3)
    assert [page.whole for page in tiff_pages(whole)] == [True]
    big = tiff(grid("f4"), 3, big=True, order=">")
    assert [page.whole for page in tiff_pages(big)] == [True]
    assert [page.whole for page in tiff_pages(whole[:-40])] == [False]
    pages = io.BytesIO()
    picture(1).save(pages, "TIFF", save_all=True, append_images=[picture(2)], compression="tiff_lzw")
    assert [page.whole for page in tiff_pages(pages.getvalue())] == [True, True]
    assert not all(page.whole for page in tiff_pages(pages.getvalue()[: len(pages.getvalue()) * 4 // 5]))
    assert tiff_pages(b"II*\0") and not tiff_pages(b"II*\0")[0].whole
    endless = bytearray(tiff(grid("f4"), 3))
    (at,) = struct.unpack_from("<I", endless, 4)
    struct.pack_into("<I", endless, len(endless) - 4, at)  # its next directory is itself
    assert len(tiff_pages(bytes(endless))) == 1


@pytest.mark.parametrize(
    "head",
    [
        jpeg(1)[:700],
        encode(picture(0), "PNG")[:33],
        b"RIFF\xf8\xff\xff\x0fWEBPVP8 ",
        b"GIF89a@\1\xf0\0\0\0\0",
    ],
)
def test_a_huge_file_is_not_read_into_memory(head: bytes, tmp_path: Path) -> None:
    """Zeros behind a header, in a file that takes no room on the disk."""
    path = put(tmp_path / "huge.bin", head)
    size = 3 << 28
    with path.open("r+b") as file:
        file.truncate(size)
    examine = Examine(Limits()).start()
    tracemalloc.start()
    examined = examine(Photo(path, Path(path.name), size, path.stat().st_mtime_ns))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 << 20
    assert isinstance(examined, Examined | Failure)


def test_an_image_is_still_what_it_was_after_the_check() -> None:
    """The files above are whole: Pillow's own reading of their ordinary twins proves the writer."""
    with Image.open(io.BytesIO(tiff((grid("f8") * 255).astype("u1"), 1))) as image:
        assert np.array_equal(np.asarray(image), (grid("f8") * 255).astype("u1"))


def test_newer_formats_are_broken_where_they_are_cut_and_unsupported_where_they_are_rare(
    tmp_path: Path,
) -> None:
    from format_suite.newer import box, jp2s, jxls, pnms

    root = tmp_path / "in"
    whole = [next(kinds()) for kinds in (jxls, jp2s, pnms)]
    for kind in whole:
        data = kind.make(picture_of(kind.suffix)).data
        put(root / f"whole{kind.suffix}", data)
        put(root / f"cut{kind.suffix}", data[: len(data) * 2 // 3])
    put(root / "named.jpg", (root / "whole.jxl").read_bytes())
    put(root / "film.jp2", box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"mjp2\0\0\0\0mjp2"))
    _, rows = look(root, remove=())
    assert {name: row["verdict"] for name, row in rows.items() if not name.startswith("whole")} == {
        **{f"cut{kind.suffix}": "broken" for kind in whole},
        "film.jp2": "unsupported",
        "named.jpg": "misnamed",
    }
    assert {row["format"] for row in rows.values()} >= {"JXL", "JPEG2000", "PNM"}
    assert all(
        rows[f"whole{kind.suffix}"]["verdict"] in ("ok", "duplicate", "near-duplicate") for kind in whole
    )


def picture_of(seed: str) -> np.ndarray:
    return np.asarray(Image.fromarray(np.asarray(picture(sum(seed.encode())))).resize((200, 160)))

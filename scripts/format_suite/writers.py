"""Write pictures by hand in kinds that no encoder at hand writes, for `scripts/make_format_suite.py`.

Sources: ISO/IEC 15948 (PNG), TIFF 6.0, the LogLuv encoding of Ward Larson 1998, Microsoft's BITMAPINFOHEADER, ICC.1
(profiles), ISO 14496-12 and 23008-12 (boxes of AVIF and HEIF).
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

PRIMARIES = {
    "srgb": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "p3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    "adobe": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
}
D65 = np.array([0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290])
D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def deep(values: Pixels, bits: int) -> NDArray[Any]:
    """The same picture with so many bits."""
    kind = np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32
    return np.asarray((values.astype(np.float64) * ((1 << bits) - 1) / 255).round().astype(kind))


def packed(values: NDArray[Any], bits: int) -> list[bytes]:
    """Rows of samples without gaps, each row from a whole byte, the highest bit first; shape (h, w, samples)."""
    shifts = np.arange(bits - 1, -1, -1, dtype=np.uint64)
    split = ((values.astype(np.uint64)[..., None] >> shifts) & np.uint64(1)).astype(np.uint8)
    return [row.tobytes() for row in np.packbits(split.reshape(len(values), -1), axis=1)]


# -- PNG -------------------------------------------------------------------------------------------------------


def png(
    values: NDArray[Any], bits: int, colour: int, *chunks: tuple[bytes, bytes], interlaced: bool = False
) -> bytes:
    """A PNG of samples (h, w, channels) of a colour type, with chunks between its header and its pixels."""
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [values[top::down, left::right] for top, left, down, right in passes]
    rows = b"".join(b"\0" + row for part in parts if part.size for row in packed(part, bits))
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], bits, colour, 0, 0, int(interlaced))
    body = ((b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in body
    )


# -- TIFF ------------------------------------------------------------------------------------------------------


def tiff(
    rows: bytes, size: tuple[int, int], bits: int, photometric: int, compression: int = 1, samples: int = 1
) -> bytes:
    """A little-endian TIFF of one strip. Its bits a sample fit two samples at most, or are 8 or 16 of each."""
    tags = [
        (256, 3, 1, size[0]),
        (257, 3, 1, size[1]),
        (258, 3, 1, bits),
        (259, 3, 1, compression),
        (262, 3, 1, photometric),
        (273, 4, 1, 8),
        (277, 3, 1, samples),
        (278, 3, 1, size[1]),
        (279, 4, 1, len(rows)),
    ]
    rows += b"\0" * (len(rows) % 2)
    begins = 8 + len(rows)
    extra = b""
    if samples > 1:
        extra = struct.pack(f"<{samples}H", *[bits] * samples)
        tags[2] = (258, 3, samples, begins)
        extra += b"\0" * (len(extra) % 2)
        if samples == 2:  # two values fit into the entry itself
            tags[2], extra = (258, 3, 2, bits | bits << 16), b""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    directory = struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"
    return b"II*\0" + struct.pack("<I", begins + len(extra)) + rows + extra + directory


def log_luv(pixels: Pixels) -> bytes:
    """A TIFF in 32-bit LogLuv, its four byte planes as runs without repeats."""
    coded = pixels.astype(np.float64) / 255
    light = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    xyz = (light @ rgb_to_xyz("srgb").T).clip(1e-6)
    total = xyz[..., 0] + 15 * xyz[..., 1] + 3 * xyz[..., 2]
    luminance = (256 * (np.log2(xyz[..., 1]) + 64)).astype(np.uint32)
    u, v = (
        (410 * 4 * xyz[..., 0] / total).astype(np.uint32),
        (410 * 9 * xyz[..., 1] / total).astype(np.uint32),
    )
    words = luminance << np.uint32(16) | u.clip(0, 255) << np.uint32(8) | v.clip(0, 255)
    rows = b""
    for row in words:
        for plane in row.astype(">u4").view(np.uint8).reshape(-1, 4).T:
            runs = (plane[at : at + 127].tobytes() for at in range(0, len(plane), 127))
            rows += b"".join(bytes([len(run)]) + run for run in runs)
    height, width = pixels.shape[:2]
    return tiff(rows, (width, height), 16, 32845, compression=34676, samples=3)


# -- BMP -------------------------------------------------------------------------------------------------------


def bmp(
    rows: list[bytes],
    width: int,
    bits: int,
    compression: int = 0,
    table: bytes = b"",
    top_down: bool = False,
    masks: tuple[int, ...] = (),
) -> bytes:
    """A BMP of rows from the top. Each is padded to four bytes here; run-length coded ones come as one row."""
    height = len(rows)
    if compression in (0, 3):
        rows = [row + b"\0" * (-len(row) % 4) for row in rows]
        rows = rows if top_down else rows[::-1]
    body = b"".join(rows)
    fields = struct.pack(f"<{len(masks)}I", *masks)
    header = struct.pack(
        "<IiiHHIIiiII", 40, width, -height if top_down else height, 1, bits, compression, len(body), *[0] * 4
    )
    begins = 14 + len(header) + len(fields) + len(table)
    return b"BM" + struct.pack("<IHHI", begins + len(body), 0, 0, begins) + header + fields + table + body


def bmp_core(pixels: Pixels) -> bytes:
    """A 24-bit BMP with the header of OS/2."""
    height, width = pixels.shape[:2]
    rows = [row[:, ::-1].tobytes() for row in pixels[::-1]]
    body = b"".join(row + b"\0" * (-len(row) % 4) for row in rows)
    header = struct.pack("<IHHHH", 12, width, height, 1, 24)
    return b"BM" + struct.pack("<IHHI", 26 + len(body), 0, 0, 26) + header + body


def bmp_runs(indices: Pixels, table: bytes) -> bytes:
    """An 8-bit BMP in run-length encoding, by runs and by single values."""
    body = b""
    for row in indices[::-1]:
        at = 0
        while at < len(row):
            run = 1
            while at + run < len(row) and run < 255 and row[at + run] == row[at]:
                run += 1
            body += bytes([run, row[at]])
            at += run
        body += b"\0\0"
    body += b"\0\1"
    header = struct.pack("<IiiHHIIiiII", 40, indices.shape[1], len(indices), 1, 8, 1, len(body), 0, 0, 256, 0)
    begins = 14 + 40 + len(table)
    return b"BM" + struct.pack("<IHHI", begins + len(body), 0, 0, begins) + header + table + body


def words(pixels: Pixels, masks: tuple[int, ...], size: int) -> list[bytes]:
    """Rows of words whose bits the masks share out to the channels."""
    found = np.zeros(pixels.shape[:2], np.uint64)
    for channel, mask in enumerate(masks):
        shift = (mask & -mask).bit_length() - 1
        found |= ((pixels[..., channel].astype(np.uint64) * (mask >> shift) + 127) // 255) << np.uint64(shift)
    return [row.astype(f"<u{size}").tobytes() for row in found]


# -- ICC profiles ----------------------------------------------------------------------------------------------


def rgb_to_xyz(gamut: str) -> NDArray[np.float64]:
    """Linear light of a gamut to XYZ under D65 (SMPTE RP 177)."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in PRIMARIES[gamut]]).T
    return np.asarray(columns * np.linalg.solve(columns, D65))


def in_gamut(pixels: Pixels, gamut: str, gamma: float | None) -> NDArray[np.float64]:
    """sRGB pixels as coded values of another gamut, 0 to 1. The curve is sRGB's own, or a power."""
    coded = pixels.astype(np.float64) / 255
    light = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    light = (light @ (np.linalg.inv(rgb_to_xyz(gamut)) @ rgb_to_xyz("srgb")).T).clip(0, 1)
    if gamma is not None:
        return np.asarray(light ** (1 / gamma))
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def profile(gamut: str, gamma: float | None, grey: bool = False) -> bytes:
    """A matrix profile of version 2 of ICC, or one of grey with its curve alone."""
    adapt = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ D65)) @ BRADFORD
    columns = adapt @ rgb_to_xyz(gamut)
    curve = struct.pack(">4sII", b"curv", 0, 1) + struct.pack(">H", round((gamma or 1) * 256))
    if gamma is None:
        steps = np.arange(1024) / 1023
        light = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4)
        curve = struct.pack(">4sII", b"curv", 0, 1024) + (light * 65535).round().astype(">u2").tobytes()
    name = f"test {gamut}".encode()
    desc = struct.pack(">4sII", b"desc", 0, len(name) + 1) + name + bytes(1 + 8 + 3 + 67)
    tags = [(b"desc", desc), (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", _xyz(D50))]
    if grey:
        tags.append((b"kTRC", curve))
    else:
        tags += [(name, _xyz(columns[:, at])) for at, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
        tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    directory, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags:
        directory += struct.pack(">4sII", name, at + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    space = b"GRAY" if grey else b"RGB "
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"\0\0\0\0", 0x02100000, b"mntr", space, b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", *_fixed(D50)) + bytes(48)
    return head + directory + body


def _fixed(values: NDArray[np.float64]) -> list[int]:
    return [round(float(value) * 65536) for value in values]


def _xyz(values: NDArray[np.float64]) -> bytes:
    return struct.pack(">4sIiii", b"XYZ ", 0, *_fixed(values))


# -- boxes of AVIF and HEIF ------------------------------------------------------------------------------------


def clap(width: int, height: int, box: tuple[int, int, int, int]) -> bytes:
    """The body of a clean aperture: left, top, right, bottom of a picture of this size."""
    left, top, right, bottom = box
    across, down = left + right - width, top + bottom - height  # twice the centre's distance
    return struct.pack(">IIIIiIiI", right - left, 1, bottom - top, 1, across, 2, down, 2)


def with_property(data: bytes, name: bytes, body: bytes) -> bytes:
    """An AVIF or HEIF with one more property of its first item, and the places of its pixels moved by that."""
    box = struct.pack(">I4s", 8 + len(body), name) + body
    held = bytearray(data)
    at = {each: held.index(each) - 4 for each in (b"meta", b"iprp", b"ipco", b"ipma", b"iloc")}
    count = _properties(held, at[b"ipco"])
    many = at[b"ipma"] + 4 + 4 + 4 + 4 + 2  # of the first item, in version 0
    end = many + 1 + held[many]
    grown = len(box) + 1
    _move_pixels(held, at[b"iloc"] + 8, grown)
    for each, by in (
        (b"meta", grown),
        (b"iprp", grown),
        (b"ipco", len(box)),
        (b"ipma", 1),
    ):
        length = int.from_bytes(held[at[each] : at[each] + 4], "big") + by
        held[at[each] : at[each] + 4] = length.to_bytes(4, "big")
    held[many] += 1
    held[end:end] = bytes([0x80 | count + 1])
    after = at[b"ipco"] + int.from_bytes(held[at[b"ipco"] : at[b"ipco"] + 4], "big") - len(box)
    held[after:after] = box
    return bytes(held)


def _properties(data: bytearray, ipco: int) -> int:
    at, end, count = ipco + 8, ipco + int.from_bytes(data[ipco : ipco + 4], "big"), 0
    while at < end:
        at, count = at + int.from_bytes(data[at : at + 4], "big"), count + 1
    return count


def _move_pixels(data: bytearray, iloc: int, by: int) -> None:
    """Add to the offset of each extent."""
    version = data[iloc]
    offset, length, base = data[iloc + 4] >> 4, data[iloc + 4] & 15, data[iloc + 5] >> 4
    index = data[iloc + 5] & 15 if version else 0
    wide = 4 if version == 2 else 2
    at = iloc + 6 + wide
    for _ in range(int.from_bytes(data[iloc + 6 : at], "big")):
        method = data[at + wide + 1] & 15 if version else 0
        at += wide + (2 if version else 0) + 2
        begins, at = int.from_bytes(data[at : at + base], "big"), at + base
        extents, at = int.from_bytes(data[at : at + 2], "big"), at + 2
        for _ in range(extents):
            at += index
            if method == 0:
                moved = int.from_bytes(data[at : at + offset], "big") + by
                data[at : at + offset] = moved.to_bytes(offset, "big")
            at += offset + length
        assert begins == 0 or offset == 0

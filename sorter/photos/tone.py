"""Pictures in other colours than sRGB that come without an ICC profile: wide gamuts and HDR, by their code points.

HDR is shown as Chromium shows it on an ordinary screen: the PQ or HLG curve to linear light, reference white at 203
nits (ITU-R BT.2408), then Reinhard's curve with a white point (Reinhard et al. 2002, equation 4) on the brightest
channel, with a peak of 1,000 nits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from sorter.photos.boxes import Colours, PictureBoxes
from sorter.photos.tiff import encode_srgb

if TYPE_CHECKING:
    from numpy.typing import NDArray

BT709, BT2020, SMPTE_RP431, DISPLAY_P3 = 1, 9, 11, 12
LINEAR, PQ, HLG = 8, 16, 18
REFERENCE_WHITE = 203.0  # nits
PEAK = 1000.0  # nits
ROWS = 256  # at once: the float form of a large photo takes six times its bytes
# To linear sRGB, D65. Sources: SMPTE EG 432-1 for P3, ITU-R BT.2087 for BT.2020.
MATRICES = {
    BT2020: np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]),
    DISPLAY_P3: np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]),
}


def needs_nothing(colours: Colours | None) -> bool:
    """Whether pixels with these code points are shown as they are."""
    return colours is None or (
        colours.transfer not in (LINEAR, PQ, HLG) and colours.primaries not in MATRICES
    )


def by_boxes(image: Image.Image, boxes: PictureBoxes, has_profile: bool, crops: bool) -> Image.Image:
    """Crop and convert a picture as the boxes of its file say. libheif crops by itself."""
    if crops and boxes.crop is not None:
        image = image.crop(boxes.crop)
    if not has_profile and boxes.colours is not None and not needs_nothing(boxes.colours):
        image = Image.fromarray(convert_colours(np.asarray(image), boxes.colours))
    return image


def convert_colours(pixels: NDArray[np.uint8], colours: Colours) -> NDArray[np.uint8]:
    """Convert pixels, uint8 (height, width, 3), by their code points."""
    found = np.empty_like(pixels)
    for row in range(0, len(pixels), ROWS):
        found[row : row + ROWS] = _convert(pixels[row : row + ROWS], colours)
    return found


def _convert(pixels: NDArray[np.uint8], colours: Colours) -> NDArray[np.uint8]:
    coded = pixels.astype(np.float64) / 255
    if colours.transfer == PQ:
        light = pq_to_nits(coded) / REFERENCE_WHITE
    elif colours.transfer == HLG:
        light = hlg_to_nits(coded) / REFERENCE_WHITE
    elif colours.transfer == LINEAR:
        light = coded
    else:
        light = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    matrix = MATRICES.get(colours.primaries)
    if matrix is not None:
        light = (light @ matrix.T).clip(0)
    if colours.transfer in (PQ, HLG):
        light = tone_mapped(light)
    return encode_srgb(light)


def tone_mapped(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light, 1.0 being reference white, to at most 1.0; shape (..., 3), the hue kept."""
    brightest = light.max(axis=-1, keepdims=True)
    peak = PEAK / REFERENCE_WHITE
    scale = (1 + brightest / peak**2) / (1 + brightest)
    return np.asarray(light * scale)


def pq_to_nits(coded: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084, the inverse of its curve."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = coded ** (1 / m2)
    return np.asarray(10_000 * ((power - c1).clip(0) / (c2 - c3 * power)) ** (1 / m1))


def hlg_to_nits(coded: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-R BT.2100: the inverse of the camera's curve, then the system gamma of a screen of 1,000 nits."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(coded <= 0.5, coded**2 / 3, (np.exp((coded - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return np.asarray(PEAK * scene * np.maximum(luminance, 1e-9)[..., None] ** 0.2)

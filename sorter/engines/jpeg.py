"""JPEG bytes -> network-sized pixels on the device itself: nvJPEG on a GPU, libjpeg-turbo on the CPU device.

What `decode` and `preprocess` do, with the device's arithmetic: whether both come to the same labels is measured
on the user's photos before it is used. Only what `Decoder.plain_jpeg` lets pass gets here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sorter.files import open_regular
from sorter.photos.preprocess import Preprocess
from sorter.types import SorterError


@dataclass(frozen=True)
class Jpeg:
    """A photo that the device is to decode.

    Attributes:
        read: waits for the file's bytes; None where they cannot be had.
        orientation: EXIF orientation, 1 to 8.
    """

    read: Callable[[], bytes | None]
    orientation: int


def read_file(path: Path) -> bytes | None:
    """For `Jpeg.read`: a file that is gone by now is one that the device refuses."""
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError:
        return None


class DeviceDecoder:
    """Decodes, shrinks and turns photos on one device.

    Args:
        device: a torch.device.
    """

    def __init__(self, spec: Preprocess, device: Any) -> None:
        import torch

        try:
            from torchvision.io import ImageReadMode, decode_jpeg
        except ImportError as error:  # deprecated since 0.29, to be removed some day
            raise SorterError(
                "--decode gpu: this torchvision decodes no JPEGs; leave it out, or install an earlier one"
            ) from error
        self._torch = torch
        self._library = partial(decode_jpeg, mode=ImageReadMode.RGB, device=device)
        self._spec = spec

    def __call__(self, photos: Sequence[Jpeg]) -> list[Any]:
        """A uint8 tensor (size, size, 3) on the device for each; None for those it cannot decode.

        Raises:
            RuntimeError: the device has no memory left.
        """
        read = [photo.read() for photo in photos]
        # frombuffer wants memory that may be written.
        encoded = [self._torch.frombuffer(bytearray(data), dtype=self._torch.uint8) for data in read if data]
        decoded = iter(self._decode(encoded))
        planes = [next(decoded) if data else None for data in read]
        return [
            None if each is None else self._fit(each, photo.orientation)
            for each, photo in zip(planes, photos, strict=True)
        ]

    def _decode(self, encoded: list[Any]) -> list[Any]:
        """uint8 (3, height, width) each. The library gives all of them or none: then it is asked for one by one."""
        if not encoded:
            return []
        try:
            planes: list[Any] = self._library(encoded)
            return planes
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            if len(encoded) == 1:
                return [None]
            return [plane for each in encoded for plane in self._decode([each])]

    def _fit(self, planes: Any, orientation: int) -> Any:
        """As `Preprocess` does it: whole-factor box average first, then the antialiased filter."""
        from torch.nn import functional

        size = self._spec.size
        if self._spec.resize == "crop":
            height, width = planes.shape[1:]
            side = min(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            planes = planes[:, top : top + side, left : left + side]
        image = planes[None].to(self._torch.float32)
        # Pillow's reducing_gap of 2: what is left after averaging is at least twice as large as what is wanted.
        factors = [max(1, side // (2 * size)) for side in image.shape[2:]]
        if max(factors) > 1:
            image = functional.avg_pool2d(image, factors, ceil_mode=True, count_include_pad=False)
        image = functional.interpolate(
            image, (size, size), mode=self._spec.interpolation, align_corners=False, antialias=True
        )
        pixels = image.round_().clamp_(0, 255).to(self._torch.uint8)[0].permute(1, 2, 0)
        return _turned(pixels, orientation)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Did the device, or a library on it, run out of memory? Only some of them say so by the error's class."""
    import torch

    signs = ("out of memory", "allocate memory", "alloc_failed", "allocator_failure", "not enough memory")
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error).lower() for sign in signs)


def _turned(pixels: Any, orientation: int) -> Any:
    """A square picture (size, size, 3), upright. CIPA DC-008 (Exif 2.32), 4.6.5."""
    if orientation >= 5:
        pixels = pixels.transpose(0, 1)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation)
    return pixels.flip(flips) if flips else pixels

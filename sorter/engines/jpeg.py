"""Decode JPEGs to network-sized pixels on a device: nvJPEG on a GPU, libjpeg-turbo on the CPU device.

This does the work of `photos.decode` and `photos.preprocess` with the device's arithmetic. The trial compares the
labels of both before a device decodes. Only files that `Decoder.plain_jpeg` accepts get here.
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
    """A photo for the device to decode.

    Attributes:
        read: returns the file's bytes once they are read. None if they cannot be read.
        orientation: EXIF orientation, 1 to 8.
    """

    read: Callable[[], bytes | None]
    orientation: int


def read_file(path: Path) -> bytes | None:
    """The bytes of a file, or None if it cannot be read. The device refuses such a photo."""
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError:
        return None


class DeviceDecoder:
    """Decode, resize and rotate photos on one device.

    Args:
        device: a torch.device.
    """

    def __init__(self, spec: Preprocess, device: Any) -> None:
        import torch

        try:
            from torchvision.io import ImageReadMode, decode_jpeg
        except ImportError as error:  # deprecated since torchvision 0.29
            raise SorterError(
                "--decode gpu: the installed torchvision cannot decode JPEGs; leave the flag out, "
                "or install an earlier version"
            ) from error
        self._torch = torch
        self._library = partial(decode_jpeg, mode=ImageReadMode.RGB, device=device)
        self._spec = spec

    def __call__(self, photos: Sequence[Jpeg]) -> list[Any]:
        """A uint8 tensor (size, size, 3) on the device for each photo. None for photos that it cannot decode.

        Raises:
            RuntimeError: the device is out of memory.
        """
        read = [photo.read() for photo in photos]
        # frombuffer needs writable memory.
        encoded = [self._torch.frombuffer(bytearray(data), dtype=self._torch.uint8) for data in read if data]
        decoded = iter(self._decode(encoded))
        planes = [next(decoded) if data else None for data in read]
        return [
            None if each is None else self._fit(each, photo.orientation)
            for each, photo in zip(planes, photos, strict=True)
        ]

    def _decode(self, encoded: list[Any]) -> list[Any]:
        """One tensor uint8 (3, height, width) per file, None for damaged ones.

        One damaged file fails the whole call of the library, so the files are then decoded one by one.
        """
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
        """Resize as `Preprocess` does: a box average by a whole factor, then the antialiased filter."""
        from torch.nn import functional

        size = self._spec.size
        if self._spec.resize == "crop":
            height, width = planes.shape[1:]
            side = min(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            planes = planes[:, top : top + side, left : left + side]
        image = planes[None].to(self._torch.float32)
        # As Pillow's reducing_gap of 2: the average keeps at least twice the wanted size.
        factors = [max(1, side // (2 * size)) for side in image.shape[2:]]
        if max(factors) > 1:
            image = functional.avg_pool2d(image, factors, ceil_mode=True, count_include_pad=False)
        image = functional.interpolate(
            image, (size, size), mode=self._spec.interpolation, align_corners=False, antialias=True
        )
        pixels = image.round_().clamp_(0, 255).to(self._torch.uint8)[0].permute(1, 2, 0)
        return _turned(pixels, orientation)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether the device ran out of memory. Only some libraries raise torch.OutOfMemoryError."""
    import torch

    signs = ("out of memory", "allocate memory", "alloc_failed", "allocator_failure", "not enough memory")
    return isinstance(error, torch.OutOfMemoryError) or any(sign in str(error).lower() for sign in signs)


def _turned(pixels: Any, orientation: int) -> Any:
    """A square picture (size, size, 3), turned upright. Source: CIPA DC-008 (Exif 2.32), 4.6.5."""
    if orientation >= 5:
        pixels = pixels.transpose(0, 1)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation)
    return pixels.flip(flips) if flips else pixels

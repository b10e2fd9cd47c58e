"""Bursts: photos that one camera took within seconds of each other and that look alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.photos.decode import Decoder
from sorter.sort.table import Table
from sorter.types import Failure

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECONDS = 3.0  # between two photos of a burst, at most
SIDE = 16  # pixels of the pictures that are compared
UNLIKE = 0.12  # mean difference of brightness from which on two pictures show different things, 0 to 1
# Tags of Exif 2.32.
MAKE, MODEL, TAKEN, FRACTION = 0x010F, 0x0110, 0x9003, 0x9291


@dataclass(frozen=True)
class Bursts:
    """Which photos of a table belong together.

    Attributes:
        number: int64, shape (n,): photos of one burst have one number; -1 for those of none.
    """

    number: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Exposure:
    """When a camera took a photo.

    Attributes:
        row: in the table.
        camera: its make and model.
        seconds: by its clock.
    """

    row: int
    camera: str
    seconds: float


def read_shots(table: Table, rows: Iterable[int]) -> list[Exposure]:
    """In a thread: when photos were taken. Those that hold no time are left out."""
    decoder, found = Decoder(None), []
    for row in rows:
        exif = {} if table.failed[row] else decoder.exif(table.path(row))
        if not isinstance(exif, Failure) and (seconds := _taken(exif)) is not None:
            found.append(Exposure(row, f"{exif.get(MAKE, '')} {exif.get(MODEL, '')}", seconds))
    return found


def _taken(exif: dict[int, object]) -> float | None:
    """Seconds by the camera's clock, with their fraction where it writes one."""
    text, fraction = str(exif.get(TAKEN, "")).strip("\0 "), str(exif.get(FRACTION, "")).strip("\0 ")
    try:
        seconds = (datetime.strptime(text, "%Y:%m:%d %H:%M:%S") - datetime(1970, 1, 1)).total_seconds()
    except ValueError:
        return None
    return seconds + (float(f"0.{fraction}") if fraction.isascii() and fraction.isdigit() else 0.0)


def close_in_time(shots: Iterable[Exposure]) -> list[list[Exposure]]:
    """Runs of photos of one camera, each within seconds of the one before."""
    runs: list[list[Exposure]] = []
    for shot in sorted(shots, key=lambda each: (each.camera, each.seconds, each.row)):
        last = runs[-1][-1] if runs else None
        if last and last.camera == shot.camera and shot.seconds - last.seconds <= SECONDS:
            runs[-1].append(shot)
        else:
            runs.append([shot])
    return [run for run in runs if len(run) > 1]


def find_bursts(table: Table, shots: Iterable[Exposure]) -> Bursts:
    """In a thread: bursts among photos whose time is known. Only those close in time are decoded."""
    number = np.full(len(table), -1, np.int64)
    burst = 0
    decoder = Decoder(4 * SIDE)
    for run in close_in_time(shots):
        before = None
        for shot in run:
            small = _small(decoder, table.path(shot.row))
            alike = before is not None and small is not None and difference(before, small) < UNLIKE
            burst += not alike
            if small is not None:
                number[shot.row] = burst
            before = small
    counts = np.bincount(number[number >= 0]) if burst else np.empty(0, np.int64)
    alone = (number >= 0) & (counts[np.maximum(number, 0)] < 2) if burst else np.zeros(len(number), np.bool_)
    number[alone] = -1
    return Bursts(number)


def _small(decoder: Decoder, path: Path) -> NDArray[np.float32] | None:
    """Brightness, 0 to 1, shape (16, 16). None for what cannot be decoded."""
    from PIL import Image

    decoded = decoder(path)
    if isinstance(decoded, Failure):
        return None
    grey = Image.fromarray(decoded.pixels).convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    brightness: NDArray[np.float32] = np.asarray(grey, np.float32) / np.float32(255)
    return brightness


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Mean difference of brightness, without that of the whole pictures: exposure differs within a burst."""
    return float(np.abs((one - one.mean()) - (other - other.mean())).mean())

"""What a folder of photos holds, before it is sorted: how many, how large, does it fit, how long it may take."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from sorter.photos.decode import Decoder
from sorter.photos.formats import may_be_photo
from sorter.photos.scan import Scan
from sorter.system import available_cores
from sorter.types import Photo

SAMPLES = 6  # photos to show
SIDE = 224  # pixels that a model looks at, about
SCORE_SECONDS = 0.01  # of one core for a photo, besides decoding it: EfficientNet-Lite0 in int8
START_SECONDS = 3.0  # of a run, before its first photo


@dataclass(frozen=True)
class Survey:
    """A folder of photos.

    Attributes:
        folder: as it was asked for.
        photos: how many.
        size: of the photos, bytes.
        others: files that are no photos.
        samples: some of the photos, evenly from the whole folder.
        free: bytes that are free where the sorted photos go; None where that cannot be known.
        seconds: that sorting may take on this computer; an estimate from decoding the samples.
    """

    folder: Path
    photos: int
    size: int
    others: int
    samples: tuple[Photo, ...]
    free: int | None
    seconds: float

    @property
    def fits(self) -> bool:
        """Is there room for copies?"""
        return self.free is None or self.size < self.free


def survey(folder: Path, out: Path) -> Survey:
    """Look through a folder. It may take a moment. Raises UsageError where it does not exist."""
    photos: list[Photo] = []
    others = 0
    for found in Scan((folder.absolute(),), leave_out=out):
        if not isinstance(found, Photo):
            continue
        if may_be_photo(found.path):
            photos.append(found)
        else:
            others += 1
    step = max(1, len(photos) // SAMPLES)
    samples = tuple(photos[::step][:SAMPLES])
    seconds = START_SECONDS + len(photos) * _seconds_of_one(samples) / available_cores()
    size = sum(photo.size for photo in photos)
    return Survey(folder, len(photos), size, others, samples, _free(out), seconds)


def _seconds_of_one(samples: tuple[Photo, ...]) -> float:
    """Processor time of one core for a photo, from decoding these."""
    decoder, began = Decoder(SIDE), time.thread_time()
    for photo in samples:
        decoder(photo.path)
    return SCORE_SECONDS + (time.thread_time() - began) / max(1, len(samples))


def _free(out: Path) -> int | None:
    """Bytes free on the disk of a folder that may not be there yet."""
    try:
        return shutil.disk_usage(next(each for each in (out, *out.parents) if each.exists())).free
    except (OSError, StopIteration):
        return None

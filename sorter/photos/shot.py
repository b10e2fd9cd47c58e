"""When a photo was taken, and by which camera: what a layout may name folders by."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

from sorter.types import Failure, Photo

TIMES = (0x9003, 0x9004)  # DateTimeOriginal, and DateTimeDigitized where there is no other
MODEL = 0x0110
EARLIEST = 1826  # the year of the oldest photograph that is left
TIME = re.compile(r"(\d{4})\D(\d\d)\D(\d\d)(?:\D(\d\d)\D(\d\d)\D(\d\d))?")
EXIF, FILE = "exif", "file"


@dataclass(frozen=True, slots=True)
class Shot:
    """The circumstances of a photo.

    Attributes:
        taken: the local time of the camera, without a time zone.
        clock: `exif` where the camera wrote the time; `file` where it is that of the file's last change.
        camera: the model as the camera wrote it, which can be any text; empty where it wrote none.
    """

    taken: datetime
    clock: str
    camera: str = ""

    @classmethod
    def from_json(cls, text: str) -> Shot:
        taken, clock, camera = json.loads(text)
        return cls(datetime.fromisoformat(taken), clock, camera)

    def to_json(self) -> str:
        return json.dumps([self.taken.isoformat(timespec="seconds"), self.clock, self.camera])


def read_shot(photo: Photo) -> Shot:
    """What the camera wrote into a photo. What is missing or damaged is left out; never raises for contents.

    Tags: CIPA DC-008 (Exif 2.32), 4.6.
    """
    from sorter.photos.decode import Decoder

    found = Decoder(None).exif(photo.path)
    exif = {} if isinstance(found, Failure) else found
    camera = _text(exif.get(MODEL))
    for tag in TIMES:
        taken = _time(_text(exif.get(tag)))
        if taken is not None:
            return Shot(taken, EXIF, camera)
    return Shot(_time_of_file(photo), FILE, camera)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return value.split("\0")[0].strip() if isinstance(value, str) else ""


def _time(text: str) -> datetime | None:
    found = TIME.match(text)
    if found is None:
        return None
    try:
        taken = datetime(*(int(part or 0) for part in found.groups()))  # type: ignore[arg-type]
    except ValueError:  # a clock that was never set writes zeros
        return None
    return taken if taken.year >= EARLIEST else None


def _time_of_file(photo: Photo) -> datetime:
    try:
        return datetime.fromtimestamp(photo.mtime_ns // 10**9)
    except (OverflowError, OSError, ValueError):  # a time beyond the calendar
        return datetime(1970, 1, 1)

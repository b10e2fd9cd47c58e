"""The records of `sorter clean`, and the kinds of things that can be wrong with a file."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path


class Kind(str, Enum):
    """What is wrong with a file, the gravest first: a file's verdict is the gravest of its findings."""

    BROKEN = "broken"
    UNREADABLE = "unreadable"
    JUNK = "junk"
    UNSUPPORTED = "unsupported"
    DAMAGED = "damaged"
    MISNAMED = "misnamed"
    CONFLICT = "conflict"  # the same picture in several classes: a person has to say which is right
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near-duplicate"
    POOR = "poor"
    OTHER = "other"
    SKIPPED = "skipped"
    OK = "ok"


GRAVITY = {kind: rank for rank, kind in enumerate(Kind)}
# The words of --remove, and what each stands for.
REMOVABLE = {
    "broken": Kind.BROKEN,
    "damaged": Kind.DAMAGED,
    "misnamed": Kind.MISNAMED,
    "unsupported": Kind.UNSUPPORTED,
    "duplicates": Kind.DUPLICATE,
    "near-duplicates": Kind.NEAR_DUPLICATE,
    "poor": Kind.POOR,
    "junk": Kind.JUNK,
}
# Nobody asked about these files; they are no fault of the data.
NO_FAULT = frozenset({Kind.OK, Kind.OTHER, Kind.SKIPPED})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a file.

    Attributes:
        kind: what sort of thing.
        reason: a code, such as `truncated` or `blurry`.
        message: for a person.
    """

    kind: Kind
    reason: str
    message: str = ""

    def __str__(self) -> str:
        return f"{self.reason} ({self.message})" if self.message else self.reason


@dataclass(frozen=True, slots=True)
class Quality:
    """What is measured of a photo's pixels, after they were averaged to less than 500 on the long side.

    Attributes:
        low: 1st percentile of the luma (ITU-R BT.601), 0..1.
        high: 99th percentile, likewise.
        mean: of the luma, likewise.
        spread: standard deviation of the luma, 0..1.
        entropy: of the histogram of 256 luma levels, in bits, 0..8.
        sharpness: variance of the Laplacian of the luma at 250 pixels on the long side, relative to the variance of
            the luma itself; None for photos too small to tell.
    """

    low: float
    high: float
    mean: float
    spread: float
    entropy: float
    sharpness: float | None


QUALITY = tuple(each.name for each in fields(Quality))


@dataclass(frozen=True, slots=True)
class Examined:
    """All that is known of one file by itself; it depends on the file's bytes and name only.

    Attributes:
        format: the container's name, such as `JPEG`; empty where it is no image.
        width: upright, pixels; 0 where unknown.
        height: likewise.
        sha256: of the file's bytes, in hex; empty where they could not be read.
        hashes: perceptual hashes, 64 bits each, as it is and turned by 90, 180 and 270 degrees; empty where there
            is nothing to tell pictures apart by.
        signature: 8 x 8 pixels, uint8 RGB, row by row, to confirm what the hashes suggest; likewise.
        quality: None where the pixels were not looked at.
        findings: what is wrong with it, by its bytes, its name and its pixels' integrity; not yet by thresholds.
    """

    format: str
    width: int
    height: int
    sha256: str
    hashes: tuple[int, ...]
    signature: bytes
    quality: Quality | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """A file and its verdict: one row of the report.

    Attributes:
        id: in the order found.
        path: absolute.
        relative: below the root it was found under.
        size: bytes.
        mtime_ns: of its last change.
        examined: None for what was passed over.
        findings: gravest first.
        part: `train`, `val`, `test`, or empty.
        label: the class folder, or empty.
        group: number of its group of duplicates, or None.
        duplicate_of: the copy that is kept, where that is another file.
        action: what became of the file: empty, or `quarantined`, `trashed`, `deleted`, `renamed`, `failed: ...`.
        destination: where it is now, where that is known.
    """

    id: int
    path: Path
    relative: Path
    size: int
    mtime_ns: int
    is_link: bool
    examined: Examined | None
    findings: tuple[Finding, ...]
    part: str
    label: str
    group: int | None
    duplicate_of: Path | None
    action: str
    destination: Path | None

    @property
    def verdict(self) -> Kind:
        return verdict_of(self.findings)


def verdict_of(findings: tuple[Finding, ...]) -> Kind:
    """The gravest kind; `OK` where nothing was found."""
    return min((each.kind for each in findings), key=GRAVITY.__getitem__, default=Kind.OK)


def to_text(examined: Examined) -> str:
    """As JSON, for a database."""
    quality = examined.quality
    values = (
        *(examined.format, examined.width, examined.height, examined.sha256, examined.hashes),
        base64.b64encode(examined.signature).decode(),
        [getattr(quality, name) for name in QUALITY] if quality else None,
        [(each.kind, each.reason, each.message) for each in examined.findings],
    )
    return json.dumps(values, separators=(",", ":"))


def from_text(text: str) -> Examined:
    """Raises ValueError or TypeError for what `to_text` did not write."""
    format, width, height, sha256, hashes, signature, quality, findings = json.loads(text)
    return Examined(
        *(format, width, height, sha256, tuple(hashes)),
        base64.b64decode(signature),
        Quality(*quality) if quality else None,
        findings_from(findings),
    )


def findings_text(findings: tuple[Finding, ...]) -> str:
    return json.dumps([(each.kind, each.reason, each.message) for each in findings])


def findings_from(data: list[list[str]]) -> tuple[Finding, ...]:
    return tuple(Finding(Kind(kind), reason, message) for kind, reason, message in data)

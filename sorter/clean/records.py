"""The records of `sorter clean`, and the kinds of faults that a file can have."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, fields
from enum import Enum
from pathlib import Path


class Kind(str, Enum):
    """A kind of fault, the gravest first. A file's verdict is the gravest of its findings."""

    BROKEN = "broken"
    UNREADABLE = "unreadable"
    JUNK = "junk"
    UNSUPPORTED = "unsupported"  # our decoder cannot read it; nothing says that the file is damaged
    DAMAGED = "damaged"
    MISNAMED = "misnamed"
    CONFLICT = "conflict"  # the same picture in several classes: only a person knows which is right
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near-duplicate"
    POOR = "poor"
    SIMILAR = "similar"  # the same scene with something else in one place
    HARD_LINK = "hard-link"  # another name of the same file on the disk
    OTHER = "other"
    SKIPPED = "skipped"
    OK = "ok"


GRAVITY = {kind: rank for rank, kind in enumerate(Kind)}
# The words of --remove.
REMOVABLE = {
    "broken": Kind.BROKEN,
    "damaged": Kind.DAMAGED,
    "misnamed": Kind.MISNAMED,
    "unsupported": Kind.UNSUPPORTED,
    "duplicates": Kind.DUPLICATE,
    "near-duplicates": Kind.NEAR_DUPLICATE,
    "similar": Kind.SIMILAR,
    "poor": Kind.POOR,
    "junk": Kind.JUNK,
}
# Kinds that are no fault of the data.
NO_FAULT = frozenset({Kind.OK, Kind.OTHER, Kind.SKIPPED, Kind.HARD_LINK})
# Kinds of a file in whose place another is kept. Files are removed in this order, while their kept copy exists.
COPIES = (Kind.DUPLICATE, Kind.NEAR_DUPLICATE, Kind.SIMILAR)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a file.

    Attributes:
        kind: the kind of fault.
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
    """Measurements of a photo's pixels, averaged to less than 500 pixels on the long side.

    Attributes:
        low: 1st percentile of the luma (ITU-R BT.601), 0..1.
        high: 99th percentile of the luma, 0..1.
        mean: mean of the luma, 0..1.
        spread: standard deviation of the luma, 0..1.
        entropy: of the histogram of 256 luma levels, in bits, 0..8.
        sharpness: variance of the Laplacian of the luma at 250 pixels on the long side, divided by the variance of
            the luma. None for small and for flat photos.
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
    """All that one file tells without the others. It depends on the file's bytes and name only.

    Attributes:
        format: the container's name, such as `JPEG`; empty where it is no image.
        width: upright, in pixels; 0 where unknown.
        height: likewise.
        sha256: of the file's bytes, in hex; empty where they could not be read.
        hashes: perceptual hashes, 64 bits each, of the picture as it is, turned by 90, 180 and 270 degrees, and
            mirrored. Empty for a flat picture and for a file without pixels.
        signature: of `signature_bytes`, to compare pictures whose hashes match. Empty likewise.
        quality: None where the pixels were not decoded.
        findings: faults of the bytes, the name and the pixels' integrity; those of thresholds come later.
        frames: number of frames or pages; 0 where they cannot be read.
        frames_sha256: of the pixels of all frames, in hex. Empty for one frame, and for too many to compare.
    """

    format: str
    width: int
    height: int
    sha256: str
    hashes: tuple[int, ...] = ()
    signature: bytes = b""
    quality: Quality | None = None
    findings: tuple[Finding, ...] = ()
    frames: int = 1
    frames_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a file lies in a dataset.

    Attributes:
        part: `train`, `val`, `test`, or empty.
        label: the class folder, or empty.
    """

    part: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A file and its verdict: one row of the report.

    Attributes:
        id: number in the order found.
        path: absolute.
        relative: below the root it was found under.
        size: bytes.
        mtime_ns: modification time, nanoseconds since the epoch.
        is_link: the path is a symbolic link.
        examined: None for a file that was not examined.
        findings: gravest first.
        part: `train`, `val`, `test`, or empty.
        label: the class folder, or empty.
        group: number of its group of duplicates, or None.
        duplicate_of: the copy that is kept, where that is another file.
        action: empty, or `quarantined`, `trashed`, `deleted`, `renamed`, `failed: ...`.
        destination: the file's new path, where that is known.
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


@dataclass(frozen=True, slots=True)
class PictureGroup:
    """Files that show the same picture or the same scene.

    Attributes:
        across_classes: one picture lies in several classes.
        across_splits: they lie in several of train, val and test.
        exact: all have the same bytes.
        similar: they show several pictures of one scene.
        members: the kept files first.
    """

    across_classes: bool
    across_splits: bool
    exact: bool
    similar: bool
    members: tuple[Checked, ...]


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """Numbers of groups: all, those across splits, those across classes, those of similar pictures."""

    groups: int
    across_splits: int
    across_classes: int
    similar: int


def verdict_of(findings: tuple[Finding, ...]) -> Kind:
    """The gravest kind; `OK` without findings."""
    return min((each.kind for each in findings), key=GRAVITY.__getitem__, default=Kind.OK)


def to_text(examined: Examined) -> str:
    """As JSON, for a database."""
    quality = examined.quality
    values = (
        *(examined.format, examined.width, examined.height, examined.sha256, examined.hashes),
        base64.b64encode(examined.signature).decode(),
        [getattr(quality, name) for name in QUALITY] if quality else None,
        [(each.kind, each.reason, each.message) for each in examined.findings],
        *(examined.frames, examined.frames_sha256),
    )
    return json.dumps(values, separators=(",", ":"))


def from_text(text: str) -> Examined:
    """Read `to_text`, or the same of version 0.1, which had no frames. Raises ValueError or TypeError."""
    format, width, height, sha256, hashes, signature, quality, findings, *frames = json.loads(text)
    return Examined(
        *(format, width, height, sha256, tuple(hashes)),
        base64.b64decode(signature),
        Quality(*quality) if quality else None,
        findings_from(findings),
        *frames,
    )


def findings_text(findings: tuple[Finding, ...]) -> str:
    return json.dumps([(each.kind, each.reason, each.message) for each in findings])


def findings_from(data: list[list[str]]) -> tuple[Finding, ...]:
    return tuple(Finding(Kind(kind), reason, message) for kind, reason, message in data)

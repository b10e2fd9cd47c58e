"""Records that packages pass to each other. They are frozen and picklable. This module imports no other of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Outcome = TypeVar("Outcome")

# Folder name -> part of a dataset.
PARTS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


class SorterError(Exception):
    """An error that the user can fix. The message names the file or flag, the fault and what to do."""

    exit_code = 1


class UsageError(SorterError):
    """The command or its options are wrong (exit code 2)."""

    exit_code = 2


def check_above_zero(**flags: float | None) -> None:
    """Raise UsageError for a value that is not above zero. A keyword is the flag's name with underscores."""
    for name, value in flags.items():
        if value is not None and not value > 0:
            raise UsageError(f"--{name.replace('_', '-')}: {value:g} is not above zero")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one photo may cost before it fails.

    Attributes:
        megapixels: a larger photo fails before it is decoded.
        seconds: time for one photo.
        memory: bytes that a worker may allocate beyond what it has when it is ready; None for no limit. Only Linux
            enforces it.
    """

    megapixels: float = 250.0
    seconds: float = 60.0
    memory: int | None = None

    def check(self) -> None:
        """Raise UsageError, with the flag's name, for a limit that is not above zero."""
        check_above_zero(max_megapixels=self.megapixels, timeout_per_file=self.seconds)


class Reason(str, Enum):
    """Why a file has no scores. The report and the journal hold the value."""

    EMPTY = "empty"
    NOT_AN_IMAGE = "not-an-image"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    UNSUPPORTED = "unsupported"  # may be whole; nothing installed reads it
    TOO_LARGE = "too-large"
    UNREADABLE = "unreadable"
    VANISHED = "vanished"
    DECODER_CRASHED = "decoder-crashed"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out-of-memory"
    NOT_FILED = "not-filed"
    # Files that are not meant to be sorted: reported as `skipped`, not as `failed`.
    OTHER_FILE = "other-file"
    HIDDEN = "hidden"
    EXCLUDED = "excluded"
    PROTECTED = "protected"  # a folder of another program
    SPECIAL_FILE = "special-file"
    SYMLINK = "symlink"
    FOLDER_LOOP = "folder-loop"


SKIPS = frozenset(
    {
        Reason.OTHER_FILE,
        Reason.HIDDEN,
        Reason.EXCLUDED,
        Reason.PROTECTED,
        Reason.SPECIAL_FILE,
        Reason.SYMLINK,
        Reason.FOLDER_LOOP,
    }
)


class Status(str, Enum):
    """The outcome of a file."""

    SORTED = "sorted"
    UNSURE = "unsure"
    FAILED = "failed"
    SKIPPED = "skipped"


class ActionKind(str, Enum):
    """How a photo gets into its folder."""

    COPY = "copy"
    MOVE = "move"
    HARDLINK = "hardlink"
    SYMLINK = "symlink"
    TAG = "tag"  # it stays, and its sidecar gets a keyword
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Companion:
    """A file that belongs to a photo and lies in its folder: its raw, its sidecar, its film.

    Attributes:
        name: of the file.
        size: bytes.
        mtime_ns: modification time, nanoseconds since the epoch.
    """

    name: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Photo:
    """A file that was found.

    Attributes:
        path: absolute path; bytes that are not UTF-8 are kept as surrogates (`os.fsdecode`).
        relative: the path below the root it was found under, for `--layout tree`.
        size: bytes.
        mtime_ns: modification time, nanoseconds since the epoch.
        is_link: the path is a symbolic link to the file.
        companions: the other files of its set.
    """

    path: Path
    relative: Path
    size: int
    mtime_ns: int
    is_link: bool = False
    companions: tuple[Companion, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a file was not scored."""

    reason: Reason
    message: str = ""

    @property
    def status(self) -> Status:
        return Status.SKIPPED if self.reason in SKIPS else Status.FAILED

    def __str__(self) -> str:
        return f"{self.reason.value}: {self.message}" if self.message else self.reason.value


@dataclass(frozen=True, slots=True)
class Decoded:
    """Upright sRGB pixels, perhaps smaller than the photo.

    Attributes:
        pixels: uint8, shape (height, width, 3).
        width: of the photo itself, upright, in pixels.
        height: of the photo itself, upright, in pixels.
        format: the container's name as Pillow has it, such as `JPEG`.
        warning: what a strict decoder objects to although a viewer shows the picture; empty for nothing.
        embedded: the pixels are those of a smaller picture of the photo that its file holds.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    warning: str = ""
    embedded: bool = False


@dataclass(frozen=True, slots=True)
class Scores:
    """The probabilities of one photo.

    Attributes:
        probabilities: one per class in the model's order, summing to 1.
        width: of the photo, upright, in pixels.
        height: of the photo, upright, in pixels.
        unfamiliar: how unlike the model's training photos it is; above 1 it is rejected. None where nobody asked.
    """

    probabilities: tuple[float, ...]
    width: int
    height: int
    unfamiliar: float | None = None


@dataclass(frozen=True)
class Result(Generic[Outcome]):
    """One photo and its outcome. The pipeline yields exactly one result for each photo."""

    photo: Photo
    outcome: Outcome | Failure


@dataclass(frozen=True, slots=True)
class Decision:
    """The class of a photo.

    Attributes:
        label: a class or `unsure`. It names the folder.
        probability: of the positive class for two classes, of the chosen class for more.
        status: `SORTED` or `UNSURE`.
    """

    label: str
    probability: float
    status: Status

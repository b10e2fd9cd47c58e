"""Which folder of the output a photo belongs to: `flat`, `tree`, or a template such as `{taken:%Y}/{class}`."""

from __future__ import annotations

import re
import string
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from sorter.photos.shot import Shot
from sorter.types import UsageError

LAYOUTS = ("flat", "tree")
CLASS, TAKEN, CAMERA = "class", "taken", "camera"
PLACEHOLDERS = "{class}, {taken:%Y-%m-%d} and {camera}"
DIRECTIVES = frozenset("YymdjHMSBbAaVGu")  # of strftime, those that every system has
DAY = "%Y-%m-%d"
NO_CAMERA = "unknown camera"
LONGEST = 100  # characters of a folder named by a camera
NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f-\x9f\ud800-\udfff/\\:*?"<>|]')
DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")  # reserved on Windows
OURS = frozenset({"report.csv", "report.html", "report.parquet", "report-parts"})  # beside the class folders


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a template.

    Attributes:
        text: as it is written.
        placeholder: what stands here instead, or empty.
        form: of a time, for strftime.
    """

    text: str = ""
    placeholder: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class FolderLayout:
    """A layout of the output.

    Attributes:
        text: as `--layout` gives it.
        levels: the pieces of each folder's name, from the outermost folder. Empty for `flat` and `tree`.
    """

    text: str = "flat"
    levels: tuple[tuple[Piece, ...], ...] = ()

    @classmethod
    def parse(cls, text: str) -> FolderLayout:
        """Raises UsageError, with the placeholder, for a template that is wrong."""
        if text in LAYOUTS:
            return cls(text)
        if not re.search(r"[{}]", text):
            raise UsageError(
                f"--layout: {text!r} is none of {', '.join(LAYOUTS)}, and has no placeholder such as {{class}}"
            )
        levels: list[list[Piece]] = [[]]
        for piece in _pieces(text):
            first, *others = _split(piece)
            levels[-1] += first
            levels += others
        for level in levels:
            _check_level(text, level)
        return cls(text, tuple(map(tuple, levels)))

    @property
    def needs_shot(self) -> bool:
        """Whether the folder depends on when a photo was taken, or by which camera."""
        return any(piece.placeholder in (TAKEN, CAMERA) for level in self.levels for piece in level)

    @property
    def class_level(self) -> int | None:
        """Which folder of a destination is the class, from 0; None where none is."""
        if not self.levels:
            return 0
        return next(
            (
                at
                for at, level in enumerate(self.levels)
                if any(piece.placeholder == CLASS for piece in level)
            ),
            None,
        )

    def folder(self, label: str, relative: Path, shot: Shot | None = None) -> Path:
        """The folder of a photo, relative to the output. It never leaves the output.

        Args:
            relative: of the photo, to the folder that it was found in.
            shot: of the photo; needed with `needs_shot`.
        """
        if not self.levels:
            return Path(label, relative.parent) if self.text == "tree" else Path(label)
        names = ["".join(_filled(piece, label, shot) for piece in level) for level in self.levels]
        return Path(*(name if name == label else safe_name(name) for name in names))


FLAT, TREE = FolderLayout("flat"), FolderLayout("tree")


def safe_name(text: str, instead: str = "unknown") -> str:
    """A folder name for any text: of one level, not hidden, not reserved on any system, not one of our own files."""
    name = NOT_IN_NAMES.sub("_", unicodedata.normalize("NFC", text))[:LONGEST]
    name = name.strip().lstrip(".").rstrip(". ").strip() or instead
    return f"_{name}" if DEVICES.fullmatch(name) or name.casefold() in OURS else name


def _filled(piece: Piece, label: str, shot: Shot | None) -> str:
    if not piece.placeholder:
        return piece.text
    if piece.placeholder == CLASS:
        return label
    assert shot is not None, "the layout needs it"
    if piece.placeholder == CAMERA:
        return safe_name(shot.camera, NO_CAMERA)
    return shot.taken.strftime(piece.form)


def _pieces(text: str) -> list[Piece]:
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError as error:
        raise UsageError(f"--layout: {text!r}: {error}; a placeholder is one of {PLACEHOLDERS}") from error
    pieces = []
    for literal, name, form, conversion in parsed:
        if literal:
            pieces.append(Piece(literal))
        if name is not None:
            pieces.append(_placeholder(name, form or "", conversion))
    return pieces


def _placeholder(name: str, form: str, conversion: str | None) -> Piece:
    written = f"{{{name}{'!' + conversion if conversion else ''}{':' + form if form else ''}}}"
    if name not in (CLASS, TAKEN, CAMERA) or conversion:
        raise UsageError(f"--layout: {written} is no placeholder; use {PLACEHOLDERS}")
    if name != TAKEN:
        if form:
            raise UsageError(f"--layout: {written} takes no format; write {{{name}}}")
        return Piece(placeholder=name)
    for found in re.finditer(r"%(.?)", form):
        if found[1] not in DIRECTIVES:
            known = " ".join(f"%{each}" for each in sorted(DIRECTIVES))
            raise UsageError(f"--layout: {written} has {found[0]!r}; a time takes {known}")
    if form and "%" not in form:
        raise UsageError(f"--layout: {written} shows no part of the time; write {{taken:%Y}}")
    return Piece(placeholder=name, form=form or DAY)


def _split(piece: Piece) -> list[list[Piece]]:
    """A piece cut where a folder ends."""
    if piece.placeholder == TAKEN:
        return [[Piece(placeholder=TAKEN, form=form)] for form in piece.form.split("/")]
    if piece.placeholder:
        return [[piece]]
    return [[Piece(each)] if each else [] for each in piece.text.split("/")]


def _check_level(text: str, level: list[Piece]) -> None:
    """Raise UsageError for a folder whose name would be empty, hidden, or not possible on every system."""
    if (
        not all(piece.text or piece.form or piece.placeholder in (CLASS, CAMERA) for piece in level)
        or not level
    ):
        raise UsageError(
            f"--layout: {text!r} has a folder without a name; write it as in {{class}}/{{taken:%Y}}"
        )
    if any(piece.placeholder == CLASS for piece in level) and len(level) > 1:
        raise UsageError(f"--layout: {{class}} in {text!r} has to be a folder of its own; write /{{class}}/")
    written = "".join(piece.text or piece.form or piece.placeholder for piece in level)
    if written != written.strip() or written.startswith(".") or NOT_IN_NAMES.search(written):
        raise UsageError(
            f"--layout: {text!r} has {written!r}, which not every system takes in a folder's name"
        )

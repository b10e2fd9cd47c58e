"""The library's messages in the window's words. The library names flags and files; the window names buttons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QLocale

from sorter.clean.records import Kind
from sorter.types import Failure, Reason

WORDS = "words"  # the context of all texts here, for translators


class Remedy(Enum):
    """What mends an error, so that a button can do it."""

    CONTINUE = "continue"
    OTHER_FOLDER = "other folder"
    INSIDE = "a folder in it"
    SORT_ANEW = "sort anew"
    SORT_IT = "sort it"
    OTHER_MODEL = "other model"


@dataclass(frozen=True)
class Rewording:
    """A message of the library, and the sentence in its place.

    Attributes:
        pattern: of the message; its named groups fill the sentence.
        text: to be translated.
    """

    pattern: str
    text: object
    remedy: Remedy | None = None


def reworded(message: str) -> str:
    """An error or a progress message of the library as the window shows it. Any other text stays as it is."""
    return progress_text(message) or _without_flags(message)


def progress_text(message: str) -> str:
    """A message in the window's words. Empty for one that says nothing to a person at a window."""
    for known in REWORDINGS:
        found = re.search(known.pattern, message, re.DOTALL)
        if found:
            return _translated(known.text).format(**found.groupdict())
    return ""


def remedy_of(message: str) -> Remedy | None:
    """What mends an error of the library. None where no button can."""
    return next((each.remedy for each in REWORDINGS if re.search(each.pattern, message, re.DOTALL)), None)


def remedy_text(remedy: Remedy | None) -> str:
    """What stands on the button that mends it. Empty for none."""
    return "" if remedy is None else _translated(REMEDIES[remedy])


def counted(count: int, one: str, many: str) -> str:
    """The text for one thing, or the text for any other number, with `{n}` filled in."""
    return (one if count == 1 else many).format(n=QLocale().toString(count))


def failure_text(failure: Failure) -> str:
    """Why a file was not sorted."""
    text = REASONS.get(failure.reason)
    if text is None:
        return reworded(failure.message) or QCoreApplication.translate("words", "Not sorted")
    return _translated(text).format(why=reworded(failure.message))


def kind_text(kind: Kind) -> str:
    """A kind of fault, after its number."""
    text = KINDS.get(kind)
    return kind.value if text is None else _translated(text)


def fault_text(code: str) -> str:
    """A fault of a file by its code, such as `truncated`."""
    try:
        return failure_text(Failure(Reason(code)))
    except ValueError:
        return code.replace("-", " ")


def step_text(step: str) -> str:
    """The name of a stretch of work, such as `embedding`."""
    text = STRETCHES.get(step)
    return step[:1].upper() + step[1:] if text is None else _translated(text)


def _translated(text: object) -> str:
    """A text of the tables below. Qt's type hints call what QT_TRANSLATE_NOOP returns an object."""
    return QCoreApplication.translate(WORDS, str(text))


def _without_flags(message: str) -> str:
    """Leave out what only a terminal's user can do: clauses with a flag, a command or a format."""
    message = re.sub(r"^--[a-z-]+:? ", "", message)
    if not TERMINAL.search(message):
        return message
    clauses = re.split(r"(?<=[;.])\s+", message)
    kept = " ".join(each for each in clauses if not TERMINAL.search(each)).rstrip("; ")
    return kept or QCoreApplication.translate("words", "That did not work. Nothing on disk is lost.")


TERMINAL = re.compile(
    r"--|`|\bsha256\b|\bjournal\b|\bpip\b|\bjson\b|the same command|\.(csv|json|db|html|onnx|safetensors)\b"
)

REMEDIES = {
    Remedy.CONTINUE: QT_TRANSLATE_NOOP("words", "&Continue"),
    Remedy.OTHER_FOLDER: QT_TRANSLATE_NOOP("words", "Choose another &folder..."),
    Remedy.INSIDE: QT_TRANSLATE_NOOP("words", "&Use a folder “sorted” in it"),
    Remedy.SORT_ANEW: QT_TRANSLATE_NOOP("words", "&Undo those and sort again"),
    Remedy.SORT_IT: QT_TRANSLATE_NOOP("words", "&Sort it now"),
    Remedy.OTHER_MODEL: QT_TRANSLATE_NOOP("words", "Choose another &model..."),
}

REASONS = {
    Reason.EMPTY: QT_TRANSLATE_NOOP("words", "The file is empty"),
    Reason.NOT_AN_IMAGE: QT_TRANSLATE_NOOP("words", "Named like a photo but isn't a picture"),
    Reason.TRUNCATED: QT_TRANSLATE_NOOP("words", "The file is incomplete"),
    Reason.CORRUPT: QT_TRANSLATE_NOOP("words", "The file is damaged"),
    Reason.UNSUPPORTED: QT_TRANSLATE_NOOP("words", "This kind of file can't be opened here: {why}"),
    Reason.TOO_LARGE: QT_TRANSLATE_NOOP("words", "The photo is too large to open"),
    Reason.UNREADABLE: QT_TRANSLATE_NOOP("words", "The file may not be read"),
    Reason.VANISHED: QT_TRANSLATE_NOOP("words", "The file is gone (drive unplugged?)"),
    Reason.DECODER_CRASHED: QT_TRANSLATE_NOOP("words", "The file could not be opened safely"),
    Reason.TIMEOUT: QT_TRANSLATE_NOOP("words", "Opening the file took too long"),
    Reason.OUT_OF_MEMORY: QT_TRANSLATE_NOOP("words", "There is too little memory to open the photo"),
    Reason.OTHER_FILE: QT_TRANSLATE_NOOP("words", "Not a photo"),
    Reason.HIDDEN: QT_TRANSLATE_NOOP("words", "A hidden file"),
    Reason.SPECIAL_FILE: QT_TRANSLATE_NOOP("words", "Not a photo"),
    Reason.SYMLINK: QT_TRANSLATE_NOOP("words", "A shortcut to another folder"),
    Reason.FOLDER_LOOP: QT_TRANSLATE_NOOP("words", "A folder that leads back to itself"),
}

KINDS = {
    Kind.BROKEN: QT_TRANSLATE_NOOP("words", "broken"),
    Kind.UNREADABLE: QT_TRANSLATE_NOOP("words", "that may not be read"),
    Kind.JUNK: QT_TRANSLATE_NOOP("words", "left over by other programs"),
    Kind.UNSUPPORTED: QT_TRANSLATE_NOOP("words", "that can't be opened here"),
    Kind.DAMAGED: QT_TRANSLATE_NOOP("words", "slightly damaged"),
    Kind.MISNAMED: QT_TRANSLATE_NOOP("words", "with the wrong ending"),
    Kind.CONFLICT: QT_TRANSLATE_NOOP("words", "in several classes"),
    Kind.DUPLICATE: QT_TRANSLATE_NOOP("words", "identical"),
    Kind.NEAR_DUPLICATE: QT_TRANSLATE_NOOP("words", "similar"),
    Kind.SIMILAR: QT_TRANSLATE_NOOP("words", "of the same scene"),
    Kind.POOR: QT_TRANSLATE_NOOP("words", "blurry or dark"),
}

STRETCHES = {
    "decoding": QT_TRANSLATE_NOOP("words", "Reading photos"),
    "embedding": QT_TRANSLATE_NOOP("words", "Learning what is in the photos"),
    "phase 1, head": QT_TRANSLATE_NOOP("words", "Learning the classes"),
    "exporting and reporting": QT_TRANSLATE_NOOP("words", "Checking and saving the model"),
    "comparing": QT_TRANSLATE_NOOP("words", "Comparing the new model with the old one"),
    "sorting": QT_TRANSLATE_NOOP("words", "Sorting"),
    "moving photos": QT_TRANSLATE_NOOP("words", "Moving photos"),
    "moving photos back": QT_TRANSLATE_NOOP("words", "Moving photos back"),
    "copying photos": QT_TRANSLATE_NOOP("words", "Copying photos"),
    "looking at every file": QT_TRANSLATE_NOOP("words", "Reading every file"),
    "moving files to the quarantine": QT_TRANSLATE_NOOP("words", "Setting files aside"),
}

REWORDINGS = (
    Rewording(
        r"^(?P<out>.*?): holds no journal",
        QT_TRANSLATE_NOOP("words", "{out} wasn't sorted by Sorter. Sort it first."),
        Remedy.SORT_IT,
    ),
    Rewording(
        r"^(?P<out>.*?): (holds no photos that|no photos were sorted)",
        QT_TRANSLATE_NOOP("words", "No photos were sorted into {out}. Sort some first."),
        Remedy.SORT_IT,
    ),
    Rewording(
        r"^--out (?P<out>.*?): is the folder of photos itself",
        QT_TRANSLATE_NOOP(
            "words",
            "Sorted photos can't go into the photo folder itself. Choose another folder under “Save to”.",
        ),
        Remedy.INSIDE,
    ),
    Rewording(
        r"^(?P<photos>.*?): lies inside --out (?P<out>.*?);",
        QT_TRANSLATE_NOOP(
            "words",
            "The photos in {photos} lie inside the folder to save to. Choose another folder under “Save to”.",
        ),
        Remedy.OTHER_FOLDER,
    ),
    Rewording(
        r"^(?P<out>.*?): was sorted with another model \((?P<old>.*?), not",
        QT_TRANSLATE_NOOP(
            "words",
            "{out} holds results of another model, “{old}”. Undo those and sort again. "
            "Or choose another folder under “Save to”.",
        ),
        Remedy.SORT_ANEW,
    ),
    Rewording(
        r"^(?P<out>.*?): was sorted with --(action|layout|links) .+?; go on",
        QT_TRANSLATE_NOOP(
            "words",
            "{out} was sorted in another way. Choose the same as then, or undo that and sort again.",
        ),
        Remedy.SORT_ANEW,
    ),
    Rewording(
        r"was sorted with --action none",
        QT_TRANSLATE_NOOP(
            "words", "These photos were not touched, so there is nothing to move. Export copies them."
        ),
    ),
    Rewording(
        r"free some space",
        QT_TRANSLATE_NOOP(
            "words",
            "The disk is full. Free some space, then press the same button again. What is done stays done.",
        ),
        Remedy.CONTINUE,
    ),
    Rewording(
        r"^(?P<folder>.*?): is no longer there; connect the drive",
        QT_TRANSLATE_NOOP("words", "{folder} is not there any more. Connect the drive, then press Continue."),
        Remedy.CONTINUE,
    ),
    Rewording(
        r"^(?P<folder>.*?): is no model folder",
        QT_TRANSLATE_NOOP("words", "{folder} isn't a model. Choose a folder that holds one."),
        Remedy.OTHER_MODEL,
    ),
    Rewording(
        r"sha256 differs|is no description of a model|copy the model folder again|names files that no model",
        QT_TRANSLATE_NOOP("words", "This model is damaged. Copy it again, or choose another model."),
        Remedy.OTHER_MODEL,
    ),
    Rewording(
        r"^(?P<path>.*?): has (format )?version .* this sorter reads",
        QT_TRANSLATE_NOOP("words", "{path} was made by a newer version of Sorter. Install that version."),
    ),
    Rewording(
        r"journal\.db: (is damaged|holds settings that cannot)",
        QT_TRANSLATE_NOOP(
            "words",
            "Sorter's notes in this folder are damaged. Choose another folder. Its photos are safe.",
        ),
        Remedy.OTHER_FOLDER,
    ),
    Rewording(
        r"^(?P<name>.*?): has only (?P<count>\d+) photos to train on, and needs at least (?P<least>\d+)",
        QT_TRANSLATE_NOOP(
            "words",
            "“{name}” has only {count} photos to learn from, and needs {least}. Check more of them first.",
        ),
    ),
    Rewording(
        r"^(?P<photo>.*?): is an example of (?P<one>.*) and of (?P<other>.*);",
        QT_TRANSLATE_NOOP(
            "words", "{photo} is an example of “{one}” and of “{other}”. Remove it from one of them."
        ),
    ),
    Rewording(
        r"the photos of (?P<name>.*) look too much alike to be parted",
        QT_TRANSLATE_NOOP("words", "The photos of “{name}” look too much alike. Add other photos of it."),
    ),
    Rewording(
        r"no photo of (?P<name>.*) is left for",
        QT_TRANSLATE_NOOP("words", "The photos of “{name}” look too much alike. Add other photos of it."),
    ),
    Rewording(
        r"/(?P<name>[^/]*): (is empty|holds only \d+ usable photos?|\w+ of its [\d,]+ photos can be decoded)",
        QT_TRANSLATE_NOOP("words", "“{name}” has too few photos that can be read. Add other photos of it."),
    ),
    Rewording(
        r"^(?P<target>.*?): holds what another command wrote",
        QT_TRANSLATE_NOOP("words", "{target} isn't empty. Choose an empty folder."),
        Remedy.OTHER_FOLDER,
    ),
    Rewording(
        r"pip install",
        QT_TRANSLATE_NOOP(
            "words",
            "A part of Sorter that this needs is not installed. Ask whoever installed Sorter to add it.",
        ),
    ),
    Rewording(
        r"^The process that did the work",
        QT_TRANSLATE_NOOP(
            "words", "The work ended in the middle. Nothing on disk is lost. Press the same button again."
        ),
        Remedy.CONTINUE,
    ),
    Rewording(r"^(?:vanished|not-filed|unreadable): (?P<why>.*)$", "{why}"),
    Rewording(
        r"^left where it is: (?P<path>.*?): (?P<why>.*)$",
        QT_TRANSLATE_NOOP("words", "Left where it is: {path} ({why})"),
    ),
    Rewording(
        r"^(?P<n>[\d,]+) photos look like photos of another class",
        QT_TRANSLATE_NOOP("words", "{n} photos look like photos of another class."),
    ),
    Rewording(
        r"^Trying .* of your photos|ms a photo, agrees",
        QT_TRANSLATE_NOOP("words", "Getting ready: finding the fastest way on this computer (once)"),
    ),
    Rewording(
        r"^\s*Failed \(.*next run tries again",
        QT_TRANSLATE_NOOP("words", "Getting ready: the usual way works"),
    ),
)

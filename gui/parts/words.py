"""The library's messages in the window's words. The library names flags and files; the window names buttons."""

from __future__ import annotations

import re
from functools import partial

from PySide6.QtCore import QCoreApplication

from sorter.clean.records import Kind
from sorter.types import Failure, Reason

tr = partial(QCoreApplication.translate, "words")


def reworded(message: str) -> str:
    """An error or a progress message of the library as the window shows it. Any other text stays as it is."""
    for pattern, text in _known():
        found = re.search(pattern, message, re.DOTALL)
        if found:
            return text.format(**found.groupdict())
    return _without_flags(message)


def failure_text(failure: Failure) -> str:
    """Why a file was not sorted."""
    texts = {
        Reason.EMPTY: tr("The file is empty"),
        Reason.NOT_AN_IMAGE: tr("Named like a photo but isn't a picture"),
        Reason.TRUNCATED: tr("The file is incomplete"),
        Reason.CORRUPT: tr("The file is damaged"),
        Reason.TOO_LARGE: tr("The photo is too large to open"),
        Reason.UNREADABLE: tr("The file may not be read"),
        Reason.VANISHED: tr("The file is gone (drive unplugged?)"),
        Reason.DECODER_CRASHED: tr("The file could not be opened safely"),
        Reason.TIMEOUT: tr("Opening the file took too long"),
        Reason.OUT_OF_MEMORY: tr("There is too little memory to open the photo"),
        Reason.OTHER_FILE: tr("Not a photo"),
        Reason.HIDDEN: tr("A hidden file"),
        Reason.SPECIAL_FILE: tr("Not a photo"),
        Reason.SYMLINK: tr("A shortcut to another folder"),
        Reason.FOLDER_LOOP: tr("A folder that leads back to itself"),
    }
    text = texts.get(failure.reason)
    if text is not None:
        return text
    if failure.reason is Reason.UNSUPPORTED:
        return tr("This kind of file can't be opened here: {why}").format(why=reworded(failure.message))
    return reworded(failure.message) or tr("Not sorted")


def kind_text(kind: Kind) -> str:
    """A kind of fault, after its number."""
    texts = {
        Kind.BROKEN: tr("broken"),
        Kind.UNREADABLE: tr("that may not be read"),
        Kind.JUNK: tr("left over by other programs"),
        Kind.UNSUPPORTED: tr("that can't be opened here"),
        Kind.DAMAGED: tr("slightly damaged"),
        Kind.MISNAMED: tr("with the wrong ending"),
        Kind.CONFLICT: tr("in several classes"),
        Kind.DUPLICATE: tr("identical"),
        Kind.NEAR_DUPLICATE: tr("similar"),
        Kind.SIMILAR: tr("of the same scene"),
        Kind.POOR: tr("blurry or dark"),
    }
    return texts.get(kind, kind.value)


def fault_text(code: str) -> str:
    """A fault of a file by its code, such as `truncated`."""
    try:
        return failure_text(Failure(Reason(code)))
    except ValueError:
        return code.replace("-", " ")


def step_text(step: str) -> str:
    """The name of a stretch of work, such as `embedding`."""
    texts = {
        "decoding": tr("Reading photos"),
        "embedding": tr("Learning what is in the photos"),
        "phase 1, head": tr("Learning the classes"),
        "exporting and reporting": tr("Checking and saving the model"),
        "comparing": tr("Comparing the new model with the old one"),
    }
    return texts.get(step) or step[:1].upper() + step[1:]


def _known() -> list[tuple[str, str]]:
    """Pattern of a message -> the sentence in its place."""
    another = tr("Choose another folder under “Save to”.")
    return [
        (r"^(?P<out>.*?): holds no journal", tr("{out} wasn't sorted by Sorter. Sort it under Start.")),
        (
            r"^(?P<out>.*?): (holds no photos that|no photos were sorted)",
            tr("No photos were sorted into {out}. Sort some under Start."),
        ),
        (
            r"^--out (?P<out>.*?): is the folder of photos itself",
            tr("Sorted photos can't go into the photo folder itself.") + " " + another,
        ),
        (
            r"^(?P<photos>.*?): lies inside --out (?P<out>.*?);",
            tr("The photos in {photos} lie inside the folder to save to.") + " " + another,
        ),
        (
            r"^(?P<out>.*?): was sorted with another model \((?P<old>.*?), not",
            tr("{out} holds results of another model, “{old}”. Put everything back first, under Recent.")
            + " "
            + tr("Or choose another folder under “Save to”."),
        ),
        (
            r"^(?P<out>.*?): was sorted with --(action|layout|links) .+?; go on",
            tr(
                "{out} was sorted in another way. Choose the same as then, or put everything back under Recent."
            ),
        ),
        (
            r"was sorted with --action none",
            tr("These photos were not touched, so there is nothing to move. Export copies them."),
        ),
        (
            r"free some space",
            tr(
                "The disk is full. Free some space, then press the same button again. What is done stays done."
            ),
        ),
        (
            r"^(?P<folder>.*?): is no longer there; connect the drive",
            tr("{folder} is not there any more. Connect the drive, then press Continue."),
        ),
        (
            r"^(?P<folder>.*?): is no model folder",
            tr("{folder} isn't a model. Choose a folder that holds one."),
        ),
        (
            r"sha256 differs|is no description of a model|copy the model folder again|names files that no model",
            tr("This model is damaged. Copy it again, or choose another model."),
        ),
        (
            r"^(?P<path>.*?): has (format )?version .* this sorter reads",
            tr("{path} was made by a newer version of Sorter. Install that version."),
        ),
        (
            r"journal\.db: (is damaged|holds settings that cannot)",
            tr("Sorter's notes in this folder are damaged. Choose another folder. Its photos are safe."),
        ),
        (
            r"^(?P<name>.*?): has only (?P<count>\d+) photos to train on, and needs at least (?P<least>\d+)",
            tr(
                "“{name}” has only {count} photos to learn from, and needs {least}. Check more of them first."
            ),
        ),
        (
            r"^(?P<target>.*?): holds what another command wrote",
            tr("{target} isn't empty. Choose an empty folder."),
        ),
        (
            r"pip install",
            tr("A part of Sorter that this needs is not installed. Ask whoever installed Sorter to add it."),
        ),
        (r"^(?:vanished|not-filed|unreadable): (?P<why>.*)$", "{why}"),
        (
            r"^Trying .* of your photos|ms a photo, agrees",
            tr("Getting ready: finding the fastest way on this computer (once)"),
        ),
        (r"^\s*Failed \(.*next run tries again", tr("Getting ready: the usual way works")),
    ]


def _without_flags(message: str) -> str:
    """Leave out what only a terminal's user can do: clauses with a flag, a command or a format."""
    message = re.sub(r"^--[a-z-]+:? ", "", message)
    if not _TERMINAL.search(message):
        return message
    clauses = re.split(r"(?<=[;.])\s+", message)
    kept = " ".join(each for each in clauses if not _TERMINAL.search(each)).rstrip("; ")
    return kept or tr("That did not work. Nothing on disk is lost.")


_TERMINAL = re.compile(
    r"--|`|\bsha256\b|\bjournal\b|\bpip\b|\bjson\b|the same command|\.(csv|json|db|html|onnx|safetensors)\b"
)

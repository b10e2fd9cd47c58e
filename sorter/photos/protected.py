"""Folders that belong to other programs, and are left alone: photo libraries, thumbnails, trash, projects.

Photos in them are copies, deleted, or managed by a program that breaks when they move.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

OUTPUT_FOLDER = ".sorter"  # in every output of sorter: a journal, or the ledger of a dataset


@dataclass(frozen=True)
class Place:
    """Folders to leave alone, of one kind.

    Attributes:
        names: globs of the folder's name, in lower case.
        why: what such a folder is, for the report.
        holds: names of entries, in lower case. A folder with one of them is such a place, whatever its name.
    """

    names: tuple[str, ...]
    why: str
    holds: tuple[str, ...] = ()


# Names match in any case: a disk of another system keeps the spelling of that system.
PLACES = (
    Place(
        ("*.photoslibrary", "*.photolibrary", "*.migratedphotolibrary"), "a library of Apple Photos or iPhoto"
    ),
    Place(("*.aplibrary",), "a library of Aperture"),
    Place(("*.lrdata", "*.lrlibrary"), "data of Lightroom"),
    Place(("*.cocatalog",), "a catalogue of Capture One"),
    Place((".picasaoriginals",), "originals that Picasa keeps"),
    Place((".thumbnails",), "thumbnails of the system"),
    Place(("@eadir",), "thumbnails of a Synology NAS"),
    Place(("#recycle", "@recycle"), "the trash of a NAS"),
    Place(("#snapshot",), "snapshots of a NAS"),
    Place((".trash", ".trashes", ".trash-*", "$recycle.bin"), "the trash of the system"),
    Place(("system volume information", "lost+found"), "the system's own folder"),
    Place(("__macosx",), "what macOS adds to an archive"),
    Place((".git", ".hg", ".svn"), "the history of a project"),
    Place(("node_modules",), "the dependencies of a project"),
    Place((OUTPUT_FOLDER,), "an output of sorter", (OUTPUT_FOLDER,)),
    Place((), "a folder with a file that asks to be left alone", (".nomedia", ".ppignore", ".sorterignore")),
)
MARKS = tuple(mark for place in PLACES for mark in place.holds)
HOW = "--include-protected enters it"


def protected_name(name: str) -> str | None:
    """Why a folder of this name is left alone. None for other folders."""
    folded = name.lower()
    for place in PLACES:
        if any(fnmatchcase(folded, glob) for glob in place.names):
            return f"{place.why}; {HOW}"
    return None


def protected_content(names: Iterable[str]) -> str | None:
    """Why a folder with entries of these names is left alone. None for other folders."""
    for name in names:
        if name.startswith("."):  # as all marks do
            for place in PLACES:
                if name.lower() in place.holds:
                    return f"{place.why} ({name}); {HOW}"
    return None


def protected_folder(folder: Path) -> str | None:
    """Why a folder is left alone, by its name or by what it holds. None for other folders."""
    return protected_name(folder.name) or protected_content(marks_in(folder))


def marks_in(folder: Path) -> Iterator[str]:
    """The marks that a folder holds. It is not listed, as it may be huge or in a store."""
    return (mark for mark in MARKS if (folder / mark).exists())

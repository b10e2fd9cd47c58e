"""report.csv: one row per file. It grows during the run and is written anew from the journal at its end."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from sorter.address import prefix
from sorter.files import atomic_text, open_text
from sorter.output.journal import Journal, Line
from sorter.photos.shot import Shot
from sorter.types import Status

COLUMNS = ("path", "label", "probability", "status", "error", "destination", "width", "height", "bytes")
MoreColumns = Mapping[str, Callable[[Line], str]]
SCORED = (Status.SORTED.value, Status.UNSURE.value)


class CsvReport:
    """report.csv: a row for each file in the journal.

    Paths are absolute. A name that is not valid UTF-8 shows its odd bytes as `\\udcXX`, so that the file as a
    whole stays UTF-8 and every spreadsheet and pandas can read it.

    Args:
        path: of the file.
        out: the output folder.
        classes: of the model; more than two get a `prob_<class>` column each.
        more: columns after all others: name -> what it holds.
    """

    def __init__(
        self,
        path: Path,
        out: Path,
        classes: tuple[str, ...],
        more: Mapping[str, Callable[[Line], str]] | None = None,
    ) -> None:
        self.path = path
        self._within = prefix(out)
        self._classes = classes if len(classes) > 2 else ()
        self._more = dict(more or {})
        self._file: TextIO | None = None

    def begin(self, lines: Iterable[Line]) -> None:
        """Write the rows of earlier runs, and stay open for `add`."""
        self.finish(lines)
        self._file = open_text(self.path, "a")

    def add(self, lines: Iterable[Line]) -> None:
        """Append rows. They are in the file when this returns."""
        if self._file is not None:
            csv.writer(self._file).writerows(map(self.row, lines))
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def finish(self, lines: Iterable[Line]) -> None:
        """Write the whole file anew, in the order of the journal. It is replaced in one step."""
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_text(self.path) as file:
            writer = csv.writer(file)
            writer.writerow(self.columns)
            writer.writerows(map(self.row, lines))

    @property
    def columns(self) -> list[str]:
        return [*COLUMNS, *(f"prob_{label}" for label in self._classes), *self._more]

    def row(self, line: Line) -> list[Any]:
        known = line.probabilities is not None
        scored = known and line.status in SCORED
        return [
            os.fsdecode(line.path),
            line.label if scored else "",
            f"{line.probability:.6f}" if scored else "",
            line.status,
            "" if line.reason is None else f"{line.reason}: {line.message}" if line.message else line.reason,
            "" if line.destination is None else self._at(os.fsdecode(line.destination)),
            line.width if known else "",
            line.height if known else "",
            line.size,
            *self._probabilities(line),
            *(each(line) for each in self._more.values()),
        ]

    def _at(self, destination: str) -> str:
        """The absolute path. That of a file outside the output, renamed in place, is absolute already."""
        return destination if os.path.isabs(destination) else self._within + destination  # noqa: PTH117

    def _probabilities(self, line: Line) -> list[str]:
        if not self._classes:
            return []
        if line.scores is not None:
            return [f"{value:.6f}" for value in line.scores.probabilities]
        return [""] * len(self._classes) if self._more else []


def companions_text(line: Line) -> str:
    """The column `companions`: their names. No name holds a slash."""
    return "/".join(line.companions)


def unfamiliar_text(line: Line) -> str:
    """The column `unfamiliar`, where the photo has the score."""
    return "" if line.unfamiliar is None else f"{line.unfamiliar:.4f}"


def _taken(line: Line) -> str:
    return "" if line.shot is None else Shot.from_json(line.shot).taken.isoformat(sep=" ")


def _clock(line: Line) -> str:
    return "" if line.shot is None else Shot.from_json(line.shot).clock


SHOT_COLUMNS: MoreColumns = {"taken": _taken, "taken_from": _clock}
TEXT_COLUMNS = frozenset({"companions", *SHOT_COLUMNS})


def more_columns(unfamiliar: bool, shots: bool) -> MoreColumns:
    """The columns after those of the classes. All but `companions` are those of some runs only.

    Args:
        unfamiliar: of a run with --reject.
        shots: of a layout that names folders by the time or the camera.
    """
    asked = {**({"unfamiliar": unfamiliar_text} if unfamiliar else {}), **(SHOT_COLUMNS if shots else {})}
    return {"companions": companions_text, **asked}


def write_csv(
    journal: Journal,
    path: Path,
    classes: tuple[str, ...],
    more: Mapping[str, Callable[[Line], str]] | None = None,
) -> None:
    """The whole report at once, with the columns of `more_columns` where photos have them."""
    known = more_columns(journal.knows_unfamiliar(), journal.knows_shots())
    CsvReport(path, journal.out, classes, {**known, **(more or {})}).finish(journal.lines())

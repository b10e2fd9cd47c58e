"""`sorter status`: a summary of an output folder's journal."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sorter.output.journal import Journal
from sorter.output.layout import LAYOUTS
from sorter.types import ActionKind

SENTENCES = {
    "running": "a run is under way or was stopped; give the same command again to go on",
    "done": "the last run came to its end",
    "undone": "everything was put back; a new run files from the journal without decoding again",
}


@dataclass(frozen=True)
class FolderStatus:
    """How far a run came, and how many files have each status.

    Attributes:
        state: `running` (or stopped), `done` or `undone`.
        counts: (status, label or reason) -> files.
        filed: files that lie in the output folder now.
        inputs: the folders and photos that were sorted.
        marked_counts: as `counts`, with a person's class in place of the model's.
    """

    out: Path
    state: str
    model: str
    action: str
    layout: str
    counts: dict[tuple[str, str], int]
    filed: int
    inputs: tuple[Path, ...] = ()
    marked_counts: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def photos(self) -> int:
        return sum(self.counts.values())

    @property
    def moved_so_far(self) -> int:
        """Photos that a stopped run has moved; 0 where it copies or is done."""
        stopped = self.state == "running" and self.action == ActionKind.MOVE.value
        return self.filed if stopped else 0

    @property
    def sentence(self) -> str:
        return SENTENCES[self.state]

    def to_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "state": self.state,
            "model": self.model,
            "action": self.action,
            "layout": self.layout,
            "files": self.photos,
            "filed": self.filed,
            "counts": [
                {"status": status, "what": what, "files": n} for (status, what), n in self.counts.items()
            ],
        }


def read_status(out: Path, journal_at: Path | None = None) -> FolderStatus:
    """Read the journal of an output folder. Raises JournalError where it has none.

    Args:
        journal_at: as for `undo`.
    """
    out = out.resolve()
    with closing(Journal.read(out, journal_at)) as journal:
        run = journal.run_settings()
        return FolderStatus(
            out=out,
            state=journal.setting("state") or "running",
            model="none yet" if run is None else run.model,
            action=ActionKind.NONE.value if run is None else run.action.value,
            layout=LAYOUTS[0] if run is None else run.layout,
            counts=journal.counts(),
            filed=journal.filing_count(),
            inputs=() if run is None else run.inputs,
            marked_counts=journal.counts(marked=True),
        )

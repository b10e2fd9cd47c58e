"""`sorter status`: what an output folder's journal holds."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sorter.output.journal import Journal

SENTENCES = {
    "running": "a run is under way or was stopped; give the same command again to go on",
    "done": "the last run came to its end",
    "undone": "everything was put back; a new run files from the journal without decoding again",
}


@dataclass(frozen=True)
class FolderStatus:
    """What the journal says, in sums.

    Attributes:
        state: `running` (or stopped), `done` or `undone`.
        counts: (status, label or reason) -> files.
        filed: files that lie in the output folder now.
    """

    out: Path
    state: str
    model: str
    action: str
    layout: str
    counts: dict[tuple[str, str], int]
    filed: int

    @property
    def photos(self) -> int:
        return sum(self.counts.values())

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


def read_status(out: Path) -> FolderStatus:
    """Raises JournalError where the folder has no journal."""
    out = out.resolve()
    with closing(Journal.read(out)) as journal:
        run = journal.setting("run") or {"model": "none yet", "action": "none", "layout": "flat"}
        return FolderStatus(
            out,
            journal.setting("state") or "running",
            run["model"],
            run["action"],
            run["layout"],
            journal.counts(),
            journal.filing_count(),
        )

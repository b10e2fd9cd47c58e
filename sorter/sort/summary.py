"""The result of `sorter run`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class SortSummary:
    """The result of a run.

    Attributes:
        out: the output folder.
        counts: label -> photos, of all that the journal holds.
        failed: reason -> files, of all that the journal holds.
        skipped: reason -> files, of all that the journal holds.
        decoded: photos decoded and scored by this run.
        refiled: photos put elsewhere by this run without decoding.
        seconds: from the start of the run to its end.
        companions: files that belong to the photos that the journal holds, and go where these go.
        engine: what scored the photos; None where none was scored.
        report: where report.csv is, or None.
        page: where report.html is, or None.
        dry_run: no file was touched.
        pruned: folders that this run's moves left empty and that were removed.
    """

    out: Path
    counts: dict[str, int]
    failed: dict[str, int]
    skipped: dict[str, int]
    decoded: int
    refiled: int
    seconds: float
    engine: str | None
    report: Path | None
    page: Path | None
    dry_run: bool
    pruned: int = 0
    companions: int = 0

    @property
    def rate(self) -> float:
        """Photos a second, decoded ones only."""
        return self.decoded / self.seconds if self.seconds else 0.0

    def to_json(self) -> dict[str, Any]:
        data = {**asdict(self), "photos_per_second": round(self.rate, 2), "seconds": round(self.seconds, 3)}
        return {key: str(value) if isinstance(value, Path) else value for key, value in data.items()}

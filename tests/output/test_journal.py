"""The journal in batches: what is written for many at once is what would be written for each in turn."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.output.disk import FileIdentity, Filing, Placed
from sorter.output.journal import FILE, FOLDER, Journal, PhotoRow
from sorter.reports.csv import CsvReport
from sorter.types import ActionKind, Decision, Failure, Photo, Reason, Scores, Status

NAMES = st.sampled_from(["a.jpg", "b.jpg", "b (2).jpg", "\udcff.jpg", "d.jpg"])
FAILURE = Failure(Reason.CORRUPT, "stops at \udcff")
ROWS = st.builds(
    lambda name, size, share: PhotoRow(
        Photo(Path("/in", name), Path(name), size, 7),
        FAILURE
        if share is None
        else (Scores((share, 1 - share), 4, 3), Decision("red", share, Status.SORTED)),
    ),
    NAMES,
    st.integers(1, 2),
    st.none() | st.floats(0, 1),
)


@contextmanager
def new_journal() -> Iterator[Journal]:
    with TemporaryDirectory() as folder, closing(Journal.open(Path(folder).resolve())) as journal:
        yield journal


def dump(journal: Journal) -> list[str]:
    with closing(sqlite3.connect(journal.out / FOLDER / FILE)) as db:
        return list(db.iterdump())


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(ROWS, max_size=6), max_size=4), st.lists(NAMES, unique=True))
def test_a_batch_is_written_as_its_photos_would_be_one_by_one(
    batches: list[list[PhotoRow]], corrected: list[str]
) -> None:
    with new_journal() as journal, new_journal() as slow:
        for batch in batches:
            with journal.transaction(), slow.transaction():
                ids = journal.write(batch)
                assert ids == [slow.write([row])[0] for row in batch]
                for each in (journal, slow):
                    labels = {
                        i: "blue"
                        for i, row in zip(ids, batch, strict=True)
                        if row.photo.path.name in corrected
                    }
                    each.correct(labels)
            paths = {row.photo.path for row in batch}
            known = journal.known(list(paths))
            assert set(known) == set(map(str, paths))
            for path in paths:
                entry = journal.lookup(path)
                assert entry is not None
                assert known[str(path)][:2] == (entry.photo.size, entry.photo.mtime_ns)
                assert known[str(path)][2:] == (entry.scores is not None, entry.failure)
        assert dump(journal) == dump(slow)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(NAMES, st.booleans()), max_size=8), st.lists(NAMES, max_size=5))
def test_filings_are_given_out_held_and_taken_back(names: list[tuple[str, bool]], asked: list[str]) -> None:
    with new_journal() as journal:
        out = journal.out
        rows = [
            PhotoRow(
                Photo(Path("/in", str(at), name), Path(name), 1, 1),
                (Scores((0.5, 0.5), 4, 3), Decision("red", 0.5, Status.SORTED)),
            )
            for at, (name, _) in enumerate(names)
        ]
        with journal.transaction():
            entries = journal.write(rows)
            plans = [
                Filing(ActionKind.COPY, row.photo.path, out / name, FileIdentity(1 << 63, at))
                for at, (row, (name, _)) in enumerate(zip(rows, names, strict=True))
            ]
            filings = journal.plan(list(zip(entries, plans, strict=True)))
        assert [each.filing for each in journal.unfinished()] == plans
        done = {f: Placed(f, 1) for f, (_, is_done) in zip(filings, names, strict=True) if is_done}
        with journal.transaction():
            journal.filed(done)
        assert [each.id for each in journal.unfinished()] == [f for f in filings if f not in done]
        with journal.transaction():
            for filing in list(done)[:2]:  # to other places, of which the second is not reached
                journal.plan_again(filing, out / "pending" / str(filing))
            journal.filed(dict(list(done.items())[:1]))
        by_filing = {entry.filing: entry for entry in journal.entries() if entry.filing is not None}
        assert list(by_filing) == list(done)
        for at, filing in enumerate(done):
            name = names[filings.index(filing)][0]
            place = f"pending/{filing}" if at == 0 else name
            assert by_filing[filing].destination == Path(place)
        places = [out / name for name in asked] + [out / "pending" / str(filing) for filing in filings]
        assert journal.held(places) == {place for place in places if journal.holds(place)}
        with journal.transaction():
            for filing in list(done)[1:]:
                journal.unfiled(filing)
        assert [e.filing for e in journal.entries() if e.filing is not None] == list(done)[:1]


def test_a_report_tells_of_every_kind_of_row(tmp_path: Path) -> None:
    out = tmp_path / "out"
    photo = Photo(tmp_path / "a\udcff.jpg", Path("a.jpg"), 5, 1)
    scored = (Scores((0.25, 0.5, 0.25), 4, 3), Decision("b", 0.5, Status.SORTED))
    with closing(Journal.open(out)) as journal:
        with journal.transaction():
            ids = journal.write(
                [PhotoRow(replace(photo, path=tmp_path / f"{at}\udcff.jpg"), scored) for at in range(4)]
                + [
                    PhotoRow(photo, Failure(Reason.EMPTY)),
                    PhotoRow(replace(photo, path=tmp_path / "c"), FAILURE),
                ]
            )
            places = (out / "b" / "0.jpg", tmp_path / "elsewhere.jpg")
            plans = [Filing(ActionKind.COPY, photo.path, place, FileIdentity(1, 1)) for place in places]
            journal.filed(dict.fromkeys(journal.plan(list(zip(ids, plans, strict=False))), Placed(5, 1)))
            journal.not_filed(ids[3], Failure(Reason.NOT_FILED, "full"))
        report = CsvReport(tmp_path / "report.csv", out, ("a", "b", "c"))
        rows = [report.row(line) for line in journal.lines()]
        assert [report.row(line) for line in journal.lines(ids[::-2])] == rows[1::2]
    numbers = ["0.250000", "0.500000", "0.250000"]
    size = [4, 3, 5]
    well = ["b", "0.500000", "sorted", ""]
    at = [os.fspath(tmp_path / f"{number}\udcff.jpg") for number in range(4)]
    assert rows == [
        [at[0], *well, str(places[0]), *size, *numbers],
        [at[1], *well, str(places[1]), *size, *numbers],
        [at[2], *well, "", *size, *numbers],
        [at[3], "", "", "failed", "not-filed: full", "", *size, *numbers],
        [str(photo.path), "", "", "failed", "empty", "", "", "", 5],
        [str(tmp_path / "c"), "", "", "failed", "corrupt: stops at \\udcff", "", "", "", 5],
    ]

"""Everything that version 0.1.0 wrote to a disk still opens; see tests/fixtures/version-0.1/README.md."""

from __future__ import annotations

import json
import os
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from support.commands import Sorter

from sorter.clean.cache import Cache
from sorter.collect.ledger import DatasetLedger
from sorter.collect.records import PictureStatus
from sorter.engines.choice import Choice
from sorter.output.journal import Journal
from sorter.pipeline import trial
from sorter.sort.options import options_of_last_run
from sorter.sort.review import Correction, Review
from sorter.types import ActionKind, Photo

ARCHIVE = Path(__file__).parents[1] / "fixtures" / "version-0.1" / "home.tar.gz"
ANN = "/home/ann"
PATHS = {
    "sorted/.sorter/journal.db": {
        "photos": ["path"],
        "filings": ["source", "destination"],
        "meta": ["value"],
    },
    "library-quarantine/.sorter/journal.db": {
        "photos": ["path"],
        "filings": ["source", "destination"],
        "meta": ["value"],
    },
    "dataset/.sorter/collect.db": {"searches": ["query"], "pictures": ["query", "url", "page"]},
    "cache/sorter/clean.db": {"examined": ["path"]},
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Ann's folder, as if it had always been here: paths and times in its databases are those of its files."""
    home = tmp_path / "ann"
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(home, filter="data")
    for name, tables in PATHS.items():
        with closing(sqlite3.connect(home / name)) as database, database:
            for table, columns in tables.items():
                for column in columns:
                    database.execute(
                        f"UPDATE {table} SET {column} = CASE typeof({column}) "
                        f"WHEN 'blob' THEN CAST(replace(CAST({column} AS TEXT), ?1, ?2) AS BLOB) "
                        f"ELSE replace({column}, ?1, ?2) END",
                        (ANN, str(home)),
                    )
            if "filings" in tables:
                for place, mtime_ns in database.execute("SELECT destination, mtime_ns FROM filings"):
                    os.utime((home / name).parents[1] / os.fsdecode(place), ns=(mtime_ns, mtime_ns))
    return home


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_journal_opens_and_what_was_said_holds(home: Path, sorter: Sorter) -> None:
    options = options_of_last_run(home / "sorted")
    assert (options.action, options.threshold, options.unsure) == (ActionKind.MOVE, 0.5, (0.2, 0.6))
    assert (options.inputs, options.model) == ((home / "photos",), home / "model")
    with closing(Review.open(home / "sorted")) as review:
        said = {entry.path.name: entry for entry in review.corrections()}
        assert said.keys() == {"red-1.jpg", "blue-0.jpg"}
        moved = said["red-1.jpg"]
        assert moved == Correction(moved.id, home / "sorted" / "blue" / "red-1.jpg", "red", "blue")
        assert review.redo()
        assert {entry.path.name for entry in review.corrections()} == {*said, "red-3.jpg"}
    status = json.loads(sorter("status", home / "sorted", "--json").stdout)
    assert sum(row["files"] for row in status["counts"]) == 8


def test_the_threshold_of_a_journal_is_changed_and_undone(home: Path) -> None:
    """What version 0.1 reads stays as it knows it: rows of marks are of photos, settings have its keys."""
    with closing(Review.open(home / "sorted")) as review:
        count, rule = len(review.corrections()), review.table.rule
        review.decide_by(replace(rule, threshold=0.9))
        review.undo()
        review.redo()
    with closing(sqlite3.connect(home / "sorted" / ".sorter" / "journal.db")) as database:
        ids = {photo for (photo,) in database.execute("SELECT id FROM photos")}
        assert {photo for (photo,) in database.execute("SELECT photo FROM corrections")} <= ids
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        (run,) = database.execute("SELECT value FROM meta WHERE key = 'run'").fetchone()
        assert json.loads(run)["review"][0] == 0.9
    with closing(Review.open(home / "sorted")) as review:
        assert (len(review.corrections()), review.table.rule.threshold) == (count, 0.9)
        assert review.undo() == []
        assert review.table.rule == rule


def test_a_journal_is_undone(home: Path, sorter: Sorter) -> None:
    photos = {path.name: path.read_bytes() for path in (home / "sorted").glob("*/*.jpg")}
    done = sorter("undo", home / "sorted")
    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_bytes() for path in (home / "photos").iterdir()} == photos
    assert len(photos) == 6


def test_a_journal_is_gone_on_with(home: Path, sorter: Sorter) -> None:
    done = sorter(
        *("run", home / "library", "--out", home / "sorted", "--model", home / "model", "--action", "move"),
        *("--unsure", "0.2", "0.6"),
    )
    assert done.returncode == 0, done.stderr
    assert names(home / "sorted" / "red") == {"red-3.jpg", "red-5.jpg", "a.jpg", "named.jpg"}
    assert names(home / "sorted" / "blue") >= {"red-1.jpg", "b.jpg"}


def test_a_quarantine_is_emptied(home: Path, sorter: Sorter) -> None:
    done = sorter("undo", home / "library-quarantine")
    assert done.returncode == 0, done.stderr
    assert names(home / "library") == {"a.jpg", "b.jpg", "copy.jpg", "broken.jpg", "named.png"}


def test_a_dataset_is_gone_on_with(home: Path, sorter: Sorter) -> None:
    with DatasetLedger.open(home / "dataset" / ".sorter" / "collect.db") as ledger:
        counts = ledger.counts()
    assert {label: of[PictureStatus.KEPT] for label, of in counts.items()} == {"red": 2, "blue": 2}
    command = ("collect", "--class", "red", home / "library", "--class", "blue", home / "sorted" / "blue")
    done = sorter(
        *command, "--source", "folder", "--out", home / "dataset", "--limit", "3", "--min-size", "32"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [len(names(home / "dataset" / label)) for label in ("red", "blue")] == [
        3,
        2,
    ]  # the others are known


def test_what_is_known_of_files_and_engines_is_still_known(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, size, mtime_ns, settings = first(home / "cache" / "sorter" / "clean.db")
    version, pillow, heif, rest = settings.split(" ", 3)
    monkeypatch.setattr(metadata, "version", {"pillow": pillow, "pillow-heif": heif}.__getitem__)
    photo = Photo(Path(path), Path(Path(path).name), size, mtime_ns)
    with closing(Cache(rest, home / "cache" / "sorter" / "clean.db")) as cache:
        examined = cache.get(photo)
    assert version == "3"
    assert examined is None  # its signature is too small to tell similar pictures: it is examined anew
    (verdicts,) = (home / "cache" / "sorter" / "engines").iterdir()
    assert trial._read(verdicts) == Choice("onnx", "fp32", "cpu", 1, "cpu")


def first(database: Path) -> tuple[str, int, int, str]:
    with closing(sqlite3.connect(database)) as connection:
        path, size, mtime_ns, settings = connection.execute(
            "SELECT path, size, mtime_ns, settings FROM examined ORDER BY path"
        ).fetchone()
    return os.fsdecode(path), size, mtime_ns, settings


def test_a_journal_of_an_older_version_is_read_without_being_changed(home: Path) -> None:
    before = (home / "sorted" / ".sorter" / "journal.db").read_bytes()
    with closing(Journal.read(home / "sorted")) as journal:
        assert journal.counts()
    assert (home / "sorted" / ".sorter" / "journal.db").read_bytes() == before

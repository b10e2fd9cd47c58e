"""Photos in stores that are no disk: fsspec's store in memory stands for all of them here, S3 is in test_cluster."""

from __future__ import annotations

import csv
import os
import pickle
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter import address
from sorter.address import Address, path_of
from sorter.output import store
from sorter.output.disk import CannotUndo, FileIdentity, Filing, ObjectIdentity, Placed
from sorter.output.filer import Filer, Scored
from sorter.output.journal import Journal, JournalError, journal_folder, locked
from sorter.output.remote import download, uploaded
from sorter.photos.scan import Scan
from sorter.reports import parts as report_bulk
from sorter.reports.parts import report_at
from sorter.sort.undo import undo_filings
from sorter.types import ActionKind, Decision, Failure, Photo, Reason, Result, Scores, Status


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Address]:
    """An empty store, and a machine that has never heard of it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = path_of("memory://bucket")
    assert isinstance(root, Address)
    yield root
    root.filesystem.store.clear()
    root.filesystem.pseudo_dirs[:] = [""]


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
    return path


def get(path: Path) -> bytes:
    with path.open("rb") as file:
        data: bytes = file.read()
    return data


def filing(kind: ActionKind, source: Path, destination: Path) -> Filing:
    status = source.stat()
    if isinstance(source, Address):
        return Filing(kind, source, destination, ObjectIdentity.of(status))
    return Filing(kind, source, destination, FileIdentity.of(status))


# -- addresses -------------------------------------------------------------------------------------------------

KEYS = st.lists(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
        lambda part: part != "."
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(KEYS)
def test_an_address_keeps_its_name_on_every_way(parts: list[str]) -> None:
    text = "s3://bucket/" + "/".join(parts)
    path = path_of(text)
    assert (str(path), os.fspath(path), path.name) == (text, text, parts[-1])
    assert pickle.loads(pickle.dumps(path)) == path == path_of(os.fsdecode(os.fsencode(path)))
    assert isinstance(path.parent / path.name, Address)
    assert str(path.parent / path.name) == text
    assert str(path.relative_to(path_of("s3://bucket"))) == "/".join(parts)


def test_what_is_no_address_is_a_path() -> None:
    assert type(path_of("photos/s3")) is type(Path())
    assert path_of("file:///photos") == Path("/photos")


def test_a_store_is_scanned_as_a_disk_is(bucket: Address, tmp_path: Path) -> None:
    for name in (
        "IMG_10.jpg",
        "IMG_9.jpg",
        "b/2.jpg",
        "b/.hidden/3.jpg",
        "a/1.jpg",
        "a/no/4.jpg",
        "sorted/red/1.jpg",
    ):
        put(tmp_path / "disk" / name, name.encode())
        put(bucket / "photos" / name, name.encode())

    def found(root: Path) -> list[tuple[str, str, int, Reason | None]]:
        rows = []
        for item in Scan((root,), exclude=("no/",), leave_out=root / "sorted"):
            photo = item.photo if isinstance(item, Result) else item
            reason = (
                item.outcome.reason
                if isinstance(item, Result) and isinstance(item.outcome, Failure)
                else None
            )
            is_file = reason is None
            rows.append(
                (str(photo.path.relative_to(root)), str(photo.relative), photo.size * is_file, reason)
            )
        return rows

    assert found(bucket / "photos") == found(tmp_path / "disk")


def test_a_huge_folder_is_not_held_in_memory_to_sort_it(
    bucket: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "SORTED_NAMES", 3)
    listed = [(name, os.stat_result([0] * 10)) for name in ("b", "d", "a", "c", "e")]
    taken: list[str] = []

    def entries() -> Iterator[tuple[str, os.stat_result]]:
        for entry in listed:
            taken.append(entry[0])
            yield entry

    ordered = address.in_order(entries(), lambda name: name)
    assert next(ordered)[0] == "b"
    assert len(taken) == 4
    assert [name for name, _ in ordered] == ["d", "a", "c", "e"]
    assert [name for name, _ in address.in_order(iter(listed[:3]), lambda name: name)] == ["a", "b", "d"]


# -- one filing ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["store to store", "disk to store", "store to disk"])
def ends(request: pytest.FixtureRequest, bucket: Address, tmp_path: Path) -> tuple[Path, Path, Path]:
    """A photo, where it is to go, and a staging file."""
    source = tmp_path / "in" if request.param == "disk to store" else bucket / "in"
    out = tmp_path / "out" if request.param == "store to disk" else bucket / "out"
    return put(source / "1.jpg", b"photo"), out / "red" / "1.jpg", out / ".sorter" / "staging" / "1.part"


@pytest.mark.parametrize("kind", [ActionKind.COPY, ActionKind.MOVE])
def test_a_filing_there_and_back(ends: tuple[Path, Path, Path], kind: ActionKind) -> None:
    source, destination, staging = ends
    what = filing(kind, source, destination)
    assert not store.was_done(what, staging)
    placed = store.place(what, staging)
    assert get(destination) == b"photo"
    assert source.exists() == (kind is ActionKind.COPY)
    assert store.was_done(what, staging)
    assert not store.was_reverted(what, staging)
    store.revert(what, placed, staging)
    assert (get(source), destination.exists()) == (b"photo", False)
    assert store.was_reverted(what, staging)
    assert not staging.exists()


@pytest.mark.parametrize("kind", [ActionKind.COPY, ActionKind.MOVE])
def test_a_stranger_is_never_overwritten(ends: tuple[Path, Path, Path], kind: ActionKind) -> None:
    source, destination, staging = ends
    put(destination, b"other")
    with pytest.raises(FileExistsError):
        store.place(filing(kind, source, destination), staging)
    assert not store.was_done(filing(kind, source, destination), staging)
    assert (get(source), get(destination), staging.exists()) == (b"photo", b"other", False)


def test_an_object_that_changed_since_it_was_scanned_is_left(bucket: Address) -> None:
    source = put(bucket / "in" / "1.jpg", b"photo")
    what = filing(ActionKind.MOVE, source, bucket / "out" / "1.jpg")
    put(source, b"another photo")
    with pytest.raises(OSError, match="changed since it was looked at"):
        store.place(what, bucket / "staging")
    assert get(source) == b"another photo"
    assert not what.destination.exists()


def test_undo_keeps_what_may_be_the_last_copy(ends: tuple[Path, Path, Path]) -> None:
    source, destination, staging = ends
    what = filing(ActionKind.COPY, source, destination)
    placed = store.place(what, staging)
    put(source, b"PHOTO")
    with pytest.raises(CannotUndo, match="the original was changed"):
        store.revert(what, placed, staging)
    source.unlink()
    with pytest.raises(CannotUndo, match="the last copy"):
        store.revert(what, placed, staging)
    assert get(destination) == b"photo"
    put(source, b"photo")
    put(destination, b"longer than it was")
    with pytest.raises(CannotUndo, match="was changed since"):
        store.revert(what, placed, staging)
    assert get(destination) == b"longer than it was"


# -- a run that dies at any moment -----------------------------------------------------------------------------


class Dies:
    """Lets so many calls through that change the store, then ends the run as a kill would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, filesystem: Any, calls: int) -> None:
        self.left = calls
        for name in ("cp_file", "rm_file"):
            inner = getattr(type(filesystem), name)

            def counted(this: Any, *args: Any, _inner: Any = inner, **more: Any) -> Any:
                self.left -= 1
                if self.left < 0:
                    raise KeyboardInterrupt
                return _inner(this, *args, **more)

            monkeypatch.setattr(type(filesystem), name, counted)


@pytest.mark.parametrize("kind", [ActionKind.COPY, ActionKind.MOVE])
@pytest.mark.parametrize("calls", range(0, 13, 2))
def test_stopped_at_any_moment_it_ends_as_if_it_had_not_been(
    bucket: Address, kind: ActionKind, calls: int, tmp_path: Path
) -> None:
    names = ["a/1.jpg", "b/1.jpg", "c/1.jpg", "c/2.jpg", "d/2.jpg"]
    for name in names:
        put(bucket / "in" / name, name.encode())
    put(bucket / "out" / "red" / "2.jpg", b"stranger")
    batch = []
    for item in Scan((bucket / "in",)):
        assert isinstance(item, Photo)
        batch.append(Scored(item, Scores((1.0, 0.0), 4, 3), Decision("red", 1.0, Status.SORTED)))
    out = bucket / "out"
    with locked(out):
        with (
            pytest.MonkeyPatch.context() as patch,
            closing(Journal.open(out)) as journal,
            closing(Filer(journal, kind)) as filer,
        ):
            Dies(patch, bucket.filesystem, calls)
            with pytest.raises(KeyboardInterrupt) if calls < (5, 10)[kind is ActionKind.MOVE] else _nothing():
                filer.file(batch)
        with closing(Journal.open(out)) as journal, closing(Filer(journal, kind)) as filer:
            filer.recover(go_on=True)
            known = [entry for entry in journal.entries() if entry.filing is None]
            filer.file(
                [
                    Scored(each.photo, each.scores, each.decision)
                    for each in known
                    if each.scores and each.decision
                ]
            )
            assert not journal.unfinished()
            placed = {
                path.name: get(path) for path in (out / "red" / name for name, _ in (out / "red").entries())
            }
            assert placed == {
                "1.jpg": b"a/1.jpg",
                "1 (2).jpg": b"b/1.jpg",
                "1 (3).jpg": b"c/1.jpg",
                "2.jpg": b"stranger",
                "2 (2).jpg": b"d/2.jpg",
                "2 (3).jpg": b"c/2.jpg",  # had been promised the stranger's name
            }
            assert all((bucket / "in" / name).exists() == (kind is ActionKind.COPY) for name in names)
            assert list(undo_filings(journal)) == [None] * 5
    assert {name: get(bucket / "in" / name) for name in names} == {name: name.encode() for name in names}
    assert [name for name, _ in (out / "red").entries()] == ["2.jpg"]


@pytest.mark.parametrize("kind", [ActionKind.COPY, ActionKind.MOVE])
@pytest.mark.parametrize("calls", range(0, 13, 2))
def test_a_set_in_a_store_is_whole_after_a_stop(
    bucket: Address, kind: ActionKind, calls: int, tmp_path: Path
) -> None:
    names = [f"{folder}/1.{suffix}" for folder in "ab" for suffix in ("CR2", "jpg", "xmp")]
    for name in names:
        put(bucket / "in" / name, name.encode())
    put(bucket / "out" / "red" / "1 (2).xmp", b"stranger")
    batch = []
    for item in Scan((bucket / "in",), companions=True):
        assert isinstance(item, Photo)
        batch.append(Scored(item, Scores((1.0, 0.0), 4, 3), Decision("red", 1.0, Status.SORTED)))
    assert [[each.name for each in scored.photo.companions] for scored in batch] == [["1.CR2", "1.xmp"]] * 2
    out = bucket / "out"
    with locked(out):
        with (
            pytest.MonkeyPatch.context() as patch,
            closing(Journal.open(out)) as journal,
            closing(Filer(journal, kind)) as filer,
        ):
            Dies(patch, bucket.filesystem, calls)
            with pytest.raises(KeyboardInterrupt) if calls < (6, 12)[kind is ActionKind.MOVE] else _nothing():
                filer.file(batch)
        with closing(Journal.open(out)) as journal, closing(Filer(journal, kind)) as filer:
            filer.recover(go_on=True)
            filer.file(
                [
                    Scored(e.photo, batch[0].scores, batch[0].decision)
                    for e in journal.entries()
                    if e.filing is None
                ]
            )
            assert not journal.unfinished()
            placed = {name: get(out / "red" / name) for name, _ in (out / "red").entries()}
            assert placed == {
                **{f"1.{suffix}": f"a/1.{suffix}".encode() for suffix in ("CR2", "jpg", "xmp")},
                **{f"1 (3).{suffix}": f"b/1.{suffix}".encode() for suffix in ("CR2", "jpg", "xmp")},
                "1 (2).xmp": b"stranger",
            }
            assert all((bucket / "in" / name).exists() == (kind is ActionKind.COPY) for name in names)
            assert list(undo_filings(journal)) == [None] * 6
    assert {name: get(bucket / "in" / name) for name in names} == {name: name.encode() for name in names}
    assert [name for name, _ in (out / "red").entries()] == ["1 (2).xmp"]


class _nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


# -- the journal beside the output -----------------------------------------------------------------------------


def test_another_machine_goes_on_with_the_journal_beside_the_output(
    bucket: Address, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = bucket / "out"
    with closing(Journal.open(out)) as journal, uploaded(journal), journal.transaction():
        journal.failed(Photo(bucket / "1.jpg", Path("1.jpg"), 1, 2), Failure(Reason.EMPTY))
    first = journal_folder(out)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another machine"))
    assert journal_folder(out) != first
    download(out)
    with closing(Journal.open(out)) as journal:
        assert [str(entry.photo.path) for entry in journal.entries()] == ["memory://bucket/1.jpg"]
        with pytest.raises(KeyboardInterrupt), uploaded(journal):
            raise KeyboardInterrupt
    download(out)  # the machine that was stopped itself
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with pytest.raises(JournalError, match="go on there"):
        download(out)  # the first one's journal is older than that
    download(out, fresh=True)


# -- reports ---------------------------------------------------------------------------------------------------


def test_parts_and_parquet_hold_the_rows_of_the_one_csv(
    bucket: Address, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(report_bulk, "PART", 3)
    monkeypatch.setattr(report_bulk, "GROUP", 2)
    out = bucket / "out"
    with closing(Journal.open(out)) as journal:
        with journal.transaction():
            for number in range(7):
                photo = Photo(bucket / f"{number}.jpg", Path(f"{number}.jpg"), number, 0)
                if number == 4:
                    journal.failed(photo, Failure(Reason.CORRUPT, "bad \udcff name"))
                else:
                    scores = Scores((number / 8, 1 - number / 8), 40, 30)
                    journal.scored(photo, scores, Decision("red", number / 8, Status.SORTED), None)
        lines = list(journal.lines())
    classes = ("red", "blue")
    alone = report_at(tmp_path / "alone.csv", out, classes, in_parts=False)
    alone.finish(lines)
    expected = (tmp_path / "alone.csv").read_text().splitlines()
    for path in (tmp_path / "report.csv", bucket / "report.csv"):
        report = report_at(path, out, classes, in_parts=isinstance(path, Address) is False)
        report.begin(())
        report.add(lines[:4])
        assert len(get(path.parent / "report-parts" / "part-00001.csv").splitlines()) == 4
        report.close()
        report.finish(lines)
        assert get(path).decode().splitlines() == expected
        parts = [
            get(path.parent / "report-parts" / f"part-0000{n}.csv").decode().splitlines() for n in (1, 2, 3)
        ]
        assert [len(part) for part in parts] == [4, 4, 2]
        assert [line for part in parts for line in part[1:]] == expected[1:]
        report_bulk.remove_parts(path)
        assert not (path.parent / "report-parts" / "part-00001.csv").exists()

    from pyarrow import parquet

    report_at(tmp_path / "report.parquet", out, classes, in_parts=True).finish(lines)
    rows = parquet.read_table(tmp_path / "report.parquet").to_pylist()
    texts = [
        {
            key: "" if value is None else f"{value:.6f}" if isinstance(value, float) else str(value)
            for key, value in row.items()
        }
        for row in rows
    ]
    assert texts == list(csv.DictReader(expected))


def test_a_store_that_nothing_knows_is_named(tmp_path: Path) -> None:
    from sorter.types import SorterError

    with pytest.raises(SorterError, match="nosuchstore"):
        path_of("nosuchstore://bucket/photos").exists()


def test_placed_is_what_the_store_says(bucket: Address) -> None:
    placed = store.place(
        filing(ActionKind.COPY, put(bucket / "1.jpg", b"photo"), bucket / "2.jpg"), bucket / "part"
    )
    assert isinstance(placed, Placed)
    assert placed.size == 5

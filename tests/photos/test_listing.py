"""Lists of files: every kind, relative to the list, each file once, a row for each, in flat memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from pathlib import Path

import pytest
from support.photos import make_photo

from sorter.address import Address, path_of
from sorter.photos.listing import Listing
from sorter.photos.rows import FileList
from sorter.types import Failure, Photo, Reason, SorterError, UsageError


def found(path: Path, **keywords: object) -> list[Photo]:
    items = list(Listing(FileList(path), **keywords))  # type: ignore[arg-type]
    assert all(isinstance(item, Photo) for item in items), items
    return [item for item in items if isinstance(item, Photo)]


def failures(path: Path, **keywords: object) -> list[tuple[str, Reason]]:
    items = [item for item in Listing(FileList(path), **keywords) if not isinstance(item, Photo)]  # type: ignore[arg-type]
    return [
        (item.photo.path.name, item.outcome.reason) for item in items if isinstance(item.outcome, Failure)
    ]


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a/one.jpg", "b/two, and more.jpg", "b/one.jpg"):
        make_photo(tmp_path / name, seed=len(name))
    return tmp_path


NAMES = ["a/one.jpg", "b/two, and more.jpg", "b/one.jpg"]
CSV = 'split,path,label\ntrain,a/one.jpg,red\n,"b/two, and more.jpg",\ntest,b/one.jpg,blue\n'
LISTS: dict[str, str | bytes] = {
    "list.txt": "\n".join(NAMES),
    "dos.lst": "\ufeff" + "\r\n".join(NAMES) + "\r\n\r\n",
    "list.csv": CSV,
    "excel.csv": "\ufefffile_name;note\r\na/one.jpg;x\r\nb/two, and more.jpg;\r\nb/one.jpg;y\r\n",
    "list.tsv": "label\tpath\nx\ta/one.jpg\ny\tb/two, and more.jpg\nz\tb/one.jpg\n",
    "list.csv.gz": gzip.compress(CSV.encode()),
    "list.jsonl": "".join(json.dumps({"file_name": name, "label": 3}) + "\n" for name in NAMES),
    "names.ndjson": "\n".join(map(json.dumps, NAMES)),
}


@pytest.mark.parametrize("name", LISTS)
def test_each_kind_of_list_names_the_same_files(folder: Path, name: str) -> None:
    photos = found(write(folder / name, LISTS[name]))
    assert [photo.path.relative_to(folder.resolve()).as_posix() for photo in photos] == NAMES
    assert [photo.relative.as_posix() for photo in photos] == NAMES
    assert [photo.size for photo in photos] == [photo.path.stat().st_size for photo in photos]


def test_parquet(folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    parquet.write_table(pyarrow.table({"label": ["x", "y", "z"], "path": NAMES}), folder / "list.parquet")
    assert [photo.relative.as_posix() for photo in found(folder / "list.parquet")] == NAMES
    parquet.write_table(pyarrow.table({"label": ["x"]}), folder / "other.parquet")
    with pytest.raises(UsageError, match="no column is named path or file_name, its columns are label"):
        found(folder / "other.parquet")
    with pytest.raises(UsageError, match=r"text\.parquet: .*name a Parquet file"):
        found(write(folder / "text.parquet", "a/one.jpg\n"))


def test_the_standard_input_is_relative_to_the_working_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    for text, nul in (("\n".join(NAMES), False), ("\0".join(NAMES) + "\0", True)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        listing = Listing(FileList(None, nul))
        assert [item.relative.as_posix() for item in listing if isinstance(item, Photo)] == NAMES
        assert listing.count() == 0


def test_a_file_has_one_item_however_often_it_is_named(folder: Path) -> None:
    (folder / "again").symlink_to(folder / "a")
    names = ("a/one.jpg", "./a/one.jpg", str(folder / "a" / "one.jpg"), "b/../a/one.jpg", "again/one.jpg")
    assert len(found(write(folder / "list.txt", "\n".join(names)))) == 1


def test_every_row_that_is_no_file_fails_with_a_reason(folder: Path) -> None:
    (folder / "broken.jpg").symlink_to("nowhere")
    text = "path,label\nmissing.jpg,x\na,x\nbroken.jpg,x\n,x\na/one.jpg,x\n"
    listing = write(folder / "list.csv", text)
    assert failures(listing) == [
        ("missing.jpg", Reason.VANISHED),
        ("a", Reason.UNREADABLE),
        ("broken.jpg", Reason.SYMLINK),
        ("list.csv:5", Reason.UNREADABLE),
    ]
    assert failures(listing, leave_out=folder / "a")[-1] == ("one.jpg", Reason.EXCLUDED)
    assert failures(listing, exclude=("a/",))[-1] == ("one.jpg", Reason.EXCLUDED)


def test_a_file_elsewhere_keeps_its_whole_path_as_tar_writes_it(folder: Path) -> None:
    (folder / "lists").mkdir()
    listing = write(folder / "lists" / "list.txt", f"../a/one.jpg\n{folder}/b/one.jpg\n")
    whole = Path(*folder.resolve().parts[1:])
    assert [photo.relative for photo in found(listing)] == [whole / "a/one.jpg", whole / "b/one.jpg"]


def test_a_list_may_lie_in_a_store_and_name_objects(folder: Path) -> None:
    pytest.importorskip("fsspec")
    bucket = path_of("memory://lists")
    assert isinstance(bucket, Address)
    try:
        for name in ("a/1.jpg", "list.txt"):
            with (bucket / name).open("wb") as file:
                file.write(f"a/1.jpg\na/2.jpg\n{folder}/a/one.jpg".encode())
        one, two, local = Listing(FileList(bucket / "list.txt"))
        assert isinstance(one, Photo) and isinstance(local, Photo)
        assert (str(one.path), one.relative.as_posix()) == ("memory://lists/a/1.jpg", "a/1.jpg")
        assert not isinstance(two, Photo) and two.outcome.reason is Reason.VANISHED
        text = write(folder / "list.txt", "memory://lists/a/1.jpg")
        assert [photo.relative.as_posix() for photo in found(text)] == ["lists/a/1.jpg"]
        assert failures(text, stores=False) == [("1.jpg", Reason.NOT_FILED)]
    finally:
        bucket.filesystem.store.clear()
        bucket.filesystem.pseudo_dirs[:] = [""]


def test_names_need_not_be_text(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    (folder / "a/one.jpg").rename(folder / name)
    for kind, head in (("txt", b""), ("csv", b"path\n")):
        assert found(write(folder / f"list.{kind}", head + os.fsencode(name)))[0].path.name == name


def test_a_list_that_is_none_is_refused_with_what_to_do(folder: Path) -> None:
    with pytest.raises(UsageError, match="no column is named path or file_name, its columns are name, label"):
        found(write(folder / "list.csv", "name,label\na,b\n"))
    with pytest.raises(UsageError, match="it is empty"):
        found(write(folder / "empty.csv", ""))
    with pytest.raises(UsageError, match="line 2 is no JSON"):
        found(write(folder / "list.jsonl", '{"path": "a/one.jpg"}\n{"path\n'))
    with pytest.raises(UsageError, match="without a line break"):
        found(write(folder / "zeros.txt", bytes(100_000)))
    with pytest.raises(UsageError, match="pack the list anew"):
        found(write(folder / "list.txt.gz", gzip.compress(b"a/one.jpg\n" * 999)[:-9]))
    with pytest.raises(SorterError, match="No such file"):
        found(folder / "none.txt")


def inventory(folder: Path, form: str) -> Path:
    """A manifest as S3 writes it, in the folders that S3 uses."""
    manifest = folder / "inventory" / "2026-01-01T01-00Z" / "manifest.json"
    (folder / "inventory" / "data").mkdir(parents=True)
    manifest.parent.mkdir()
    about = {
        "sourceBucket": "photos",
        "destinationBucket": "arn:aws:s3:::lists",
        "version": "2016-11-30",
        "fileFormat": form,
        "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size",
        "files": [{"key": f"photos/inventory/data/1.{'csv.gz' if form == 'CSV' else 'parquet'}", "size": 1}],
    }
    return write(manifest, json.dumps(about))


def test_an_inventory_of_s3_names_its_newest_objects(tmp_path: Path) -> None:
    from sorter.photos.rows import read_rows

    manifest = inventory(tmp_path, "CSV")
    rows = (
        '"photos","a%2Fone+photo%28caf%C3%A9%29.jpg","1","true","false","10"\n'
        '"photos","a/old.jpg","2","false","false","10"\n'
        '"photos","a/gone.jpg","3","true","true","10"\n'
    )
    write(tmp_path / "inventory" / "data" / "1.csv.gz", gzip.compress(rows.encode()))
    assert [row.path for row in read_rows(FileList(manifest))] == ["s3://photos/a/one photo(café).jpg"]
    write(manifest, manifest.read_text().replace('"CSV"', '"ORC"'))
    with pytest.raises(UsageError, match="an inventory as ORC"):
        list(read_rows(FileList(manifest)))
    with pytest.raises(UsageError, match="no manifest of an S3 inventory"):
        list(read_rows(FileList(write(manifest, "{}"))))


def test_an_inventory_of_s3_in_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    from sorter.photos.rows import read_rows

    manifest = inventory(tmp_path, "Parquet")
    columns = {"bucket": ["photos"] * 2, "key": ["a b.jpg", "c.jpg"], "is_latest": [True, False]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "inventory" / "data" / "1.parquet")
    assert [row.path for row in read_rows(FileList(manifest))] == ["s3://photos/a b.jpg"]


def test_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    listing = tmp_path / "list.txt"
    with listing.open("w") as file:
        file.writelines(f"{number // 100}/IMG_{number}.jpg\n" for number in range(30_000))
    held = []
    for number, _ in enumerate(Listing(FileList(listing)), 1):
        if number in (15_000, 30_000):
            held.append(sys.getallocatedblocks())
    assert held[1] < held[0] + 5_000, held

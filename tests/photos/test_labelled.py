"""Tables of labels: classes, parts and groups; Hugging Face's imagefolder; lists of files in class folders."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sorter.photos.dataset import Example, split
from sorter.photos.fingerprint import Fingerprint
from sorter.photos.groups import joined, with_groups
from sorter.photos.labelled import read_labelled
from sorter.photos.rows import FileList
from sorter.types import Photo, UsageError

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a table and the files that it may name."""
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg", "dog/2.jpg", "test/cat/3.jpg", "test/dog/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    def write(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def named(found: dict[str | None, list[Example]]) -> dict[str | None, list[tuple[str, int, str]]]:
    return {
        part: [(each.photo.relative.as_posix(), each.label, each.group) for each in some]
        for part, some in found.items()
    }


TABLE = """path,label,split,group
dog/1.jpg,dog,train,ann
cat/1.jpg,cat,train,bob
cat/1.jpg,cat,train,bob
dog/2.jpg,dog,Validation,
cat/2.jpg, ,train,
missing.jpg,cat,,ann
"""


def test_a_table_has_classes_parts_and_groups(write: Write) -> None:
    said: list[str] = []
    table = write("labels.csv", TABLE)
    found = read_labelled(table, 0, say=said.append)
    assert found.classes == ("cat", "dog")
    assert named(found.parts) == {
        "train": [("cat/1.jpg", 0, "bob"), ("missing.jpg", 0, "ann"), ("dog/1.jpg", 1, "ann")],
        "val": [("dog/2.jpg", 1, "")],
    }
    assert said == [f"{table}: 1 rows have no label, or several, and are left out"]
    assert read_labelled(Path("elsewhere"), 0, listing=FileList(table)).parts == found.parts


def test_without_a_split_there_are_no_parts(write: Write) -> None:
    lines = [
        json.dumps({"file_name": f"{name}/{number}.jpg", "label": name})
        for name in ("cat", "dog")
        for number in (1, 2)
    ]
    found = read_labelled(write("labels.jsonl", "\n".join(lines)), 2)
    assert {part: len(some) for part, some in found.parts.items()} == {None: 4}


def test_the_metadata_of_an_imagefolder(write: Write, tmp_path: Path) -> None:
    write("cat/../metadata.csv", "file_name,label\ncat/1.jpg,whiskers\ndog/1.jpg,bone\n")
    assert read_labelled(tmp_path, 0).classes == ("bone", "whiskers")
    (tmp_path / "metadata.csv").unlink()
    (tmp_path / "train").mkdir()
    write(
        "train/metadata.jsonl",
        '{"file_name": "../cat/1.jpg", "label": 1}\n{"file_name": "../dog/1.jpg", "label": 0}\n',
    )
    write("test/metadata.csv", "file_name,label\ncat/3.jpg,1\ndog/3.jpg,0\n")
    found = read_labelled(tmp_path, 0)
    assert found.classes == ("0", "1")
    assert {part: len(some) for part, some in found.parts.items()} == {"train": 2, "test": 2}


def test_metadata_without_labels_leave_class_folders(write: Write, tmp_path: Path) -> None:
    write("cat/../metadata.csv", "file_name,caption\ncat/1.jpg,a cat\n")
    assert read_labelled(tmp_path, 0).classes == ("cat", "dog", "test")


def test_a_list_without_labels_names_files_in_class_folders(write: Write) -> None:
    names = "cat/1.jpg\ndog/1.jpg\ntest/cat/3.jpg\ntest/dog/3.jpg\n"
    found = read_labelled(write("list.txt", names), 0)
    assert found.classes == ("cat", "dog")
    assert {part: len(some) for part, some in found.parts.items()} == {"train": 2, "test": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\ncat/1.jpg,cat\ncat/2.jpg,cat\n", "two or more labels are needed, there is only cat"),
        (
            "path,label\ncat/1.jpg,cat\n./cat/1.jpg,dog\n",
            "row 3 gives ./cat/1.jpg the label dog, an earlier one cat",
        ),
        ("path,label,split\ncat/1.jpg,cat,fold1\n", "the split 'fold1'; name it train, val or test"),
        ("path,label,split\ncat/1.jpg,cat,test\ndog/1.jpg,dog,test\n", "no row has the split train"),
        (
            "path,label\ncat/1.jpg,cat\ncat/2.jpg,cat\ndog/1.jpg,dog\n",
            r"labels\.csv: class dog: holds only 1 usable",
        ),
    ],
)
def test_what_is_wrong_is_said(write: Write, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_labelled(write("labels.csv", text), 2)


def example(name: str, label: int, group: str = "") -> Example:
    return Example(Photo(Path("/d") / name, Path(name), 1, 1), label, group)


def test_groups_by_folder_column_and_expression(write: Write, tmp_path: Path) -> None:
    parts = {None: [example("cat/film-1/a.jpg", 0), example("cat/b.jpg", 0), example("dog/film-1/c.jpg", 1)]}

    def groups(by: str, in_class_folders: bool = True) -> list[str]:
        return [each.group for each in with_groups(parts, by, in_class_folders)[None]]

    assert groups("folder") == ["film-1", "", "film-1"]
    assert groups("folder", in_class_folders=False) == ["cat/film-1", "cat", "dog/film-1"]
    assert groups(r"film-\d") == ["film-1", "", "film-1"]
    assert groups(r"^(\w+)/") == ["cat", "cat", "dog"]
    for by, message in (
        ("column", "no column group"),
        ("x{9}", "matches the path of no photo"),
        ("(", "is no regular"),
    ):
        with pytest.raises(UsageError, match=message):
            groups(by)
    with pytest.raises(UsageError, match="no photo lies in a folder below"):
        read_labelled(tmp_path / "test", 0, group_by="folder")
    found = read_labelled(write("labels.csv", TABLE), 0, group_by="column")
    assert {each.group for each in found.parts["train"]} == {"ann", "bob"}


def test_groups_that_share_a_photo_or_a_name_are_one() -> None:
    # 0 looks like 1; 1 and 3 are of one film; 4 looks like 3; 2 and 5 are alone.
    found = joined(np.array([0, 0, 2, 3, 3, 5]), ["", "film", "", "film", "", ""])
    assert len(set(found[[0, 1, 3, 4]].tolist())) == 1
    assert len(set(found.tolist())) == 3


def test_no_group_is_on_two_sides_of_a_split() -> None:
    random = np.random.default_rng(0)
    some = [example(f"{n}.jpg", n % 2, f"patient {n // 8}") for n in range(160)]
    prints = {
        e.photo.path: Fingerprint(str(n), int(random.integers(2**63)), 9, 9, "PNG")
        for n, e in enumerate(some)
    }
    for seed in range(5):
        found = split(Path("/d"), ("a", "b"), {None: some}, prints, seed, val=0.2, test=0.2)
        sides = [{each.group for each in side} for side in (found.train, found.val, found.test)]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
        assert [len(side) for side in (found.train, found.val, found.test)] == [96, 32, 32]
        assert found.near_duplicates == found.conflicts == 0
    given = {"train": some[:100], "val": some[100:]}  # cuts through patient 12
    assert split(Path("/d"), ("a", "b"), given, prints, 0).leaks == 4

"""`sorter run --layout TEMPLATE` and `--links relative`: filed, gone on with, reviewed, and undone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image
from support.commands import Sorter
from support.photos import BLUE, RED, make_photo
from test_run import rows, tree

from sorter.output.journal import Journal
from sorter.sort.options import SortOptions
from sorter.sort.review import Review
from sorter.sort.run import sort_folder
from sorter.sort.undo import undo

YEAR_FIRST = "{taken:%Y}/{class}"


def taken(path: Path, colour: tuple[int, int, int], when: str, camera: str = "", seed: int = 0) -> Path:
    tags = Image.Exif()
    if camera:
        tags[0x0110] = camera
    if when:
        tags.get_ifd(0x8769)[0x9003] = when
    made = make_photo(path, colour, seed=seed, exif=tags.tobytes())
    os.utime(made, (1_580_000_000, 1_580_000_000))  # in January 2020
    return made


def photos(folder: Path) -> Path:
    taken(folder / "a" / "1.jpg", RED, "2019:06:07 08:09:10", "Canon", 1)
    taken(folder / "a" / "2.jpg", BLUE, "2019:07:07 08:09:10", "../../../evil", 2)
    taken(folder / "b" / "1.jpg", RED, "2021:01:01 00:00:00", "CON", 3)
    taken(folder / "b" / "3.jpg", BLUE, "", "", 4)
    return folder


def options(folder: Path, model: Path, **more: object) -> SortOptions:
    return SortOptions((folder / "in",), folder / "out", model=model, workers=1, **more)  # type: ignore[arg-type]


def test_folders_are_named_by_time_and_camera_and_the_report_says_whose_time(
    tmp_path: Path, sorter: Sorter
) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    before = tree(source)
    command = ("run", source, "--out", out, "--layout", "{class}/{taken:%Y}/{camera}", "--action", "move")
    done = sorter(*command)
    assert done.returncode == 0, done.stderr
    assert set(tree(out)) == {
        "red/2019/Canon/1.jpg",
        "blue/2019/_.._.._evil/2.jpg",
        "red/2021/_CON/1.jpg",
        "blue/2020/unknown camera/3.jpg",
    }
    assert [(row["taken"][:10], row["taken_from"]) for row in rows(out / "report.csv")] == [
        ("2019-06-07", "exif"),
        ("2019-07-07", "exif"),
        ("2021-01-01", "exif"),
        (rows(out / "report.csv")[3]["taken"][:10], "file"),
    ]
    assert sorter(*command).returncode == 0  # nothing is left to do
    assert "layout {class}/{taken:%Y}/{camera}" in sorter("status", out).stdout
    assert sorter("undo", out).returncode == 0
    assert tree(source) == before and not tree(out)


def test_a_stopped_run_ends_as_an_unstopped_one(tmp_path: Path, model: Path) -> None:
    photos(tmp_path / "in")
    held = taken(tmp_path / "held" / "9.jpg", BLUE, "2018:01:01 00:00:00", seed=9)
    sort_folder(options(tmp_path, model, layout=YEAR_FIRST))
    with closing(Journal.open(tmp_path / "out")) as journal, journal.transaction():
        journal.set(state="running")
        journal._db.execute("UPDATE photos SET filing = NULL")  # as before the filings were done
        journal._db.execute("DELETE FROM filings")
    for path in list(tree(tmp_path / "out")):
        (tmp_path / "out" / path).unlink()
    shutil.copy2(held, tmp_path / "in" / "9.jpg")
    summary = sort_folder(options(tmp_path, model, layout=YEAR_FIRST))
    assert summary.decoded == 1
    assert set(tree(tmp_path / "out")) == {
        *("2019/red/1.jpg", "2019/blue/2.jpg", "2021/red/1.jpg", "2020/blue/3.jpg", "2018/blue/9.jpg")
    }


def test_a_review_moves_photos_within_their_year(tmp_path: Path, model: Path) -> None:
    photos(tmp_path / "in")
    sort_folder(options(tmp_path, model, layout=YEAR_FIRST))
    with closing(Review.open(tmp_path / "out")) as review:
        assert not review.plan()
        assert review.table.folder(0) == "red"
        review.assign([review.table.id[0]], "blue")
        assert [(move.before, move.after) for move in review.plan()] == [("red", "blue")]
        assert review.apply().filed == 1
        assert not review.plan()
    assert "2019/blue/1.jpg" in tree(tmp_path / "out")
    assert undo(tmp_path / "out").left == ()
    assert not tree(tmp_path / "out")


def test_a_layout_without_classes_leaves_nothing_to_apply(tmp_path: Path, model: Path) -> None:
    photos(tmp_path / "in")
    sort_folder(options(tmp_path, model, layout="{taken:%Y}"))
    with closing(Review.open(tmp_path / "out")) as review:
        review.assign([review.table.id[0]], "blue")
        assert not review.plan() and review.apply().filed == 0
    assert set(tree(tmp_path / "out")) == {"2019/1.jpg", "2019/2.jpg", "2020/3.jpg", "2021/1.jpg"}


def test_one_output_has_one_layout_and_a_bad_template_touches_nothing(tmp_path: Path, sorter: Sorter) -> None:
    source, out = photos(tmp_path / "in"), tmp_path / "out"
    refused = sorter("run", source, "--out", out, "--layout", "{class}/{yaer}")
    assert (refused.returncode, out.exists()) == (2, False)
    assert "{yaer}" in refused.stderr and "Traceback" not in refused.stderr
    assert sorter("run", source, "--out", out, "--layout", YEAR_FIRST).returncode == 0
    again = sorter("run", source, "--out", out, "--layout", "flat")
    assert again.returncode == 2 and YEAR_FIRST in again.stderr
    assert sorter("run", source, "--out", out, "--layout", "flat", "--fresh").returncode == 0
    assert "red/1.jpg" in tree(out) and "taken" not in rows(out / "report.csv")[0]


def test_relative_links_outlive_a_move_of_both_folders(tmp_path: Path, sorter: Sorter) -> None:
    home = tmp_path / "home"
    source, out = photos(home / "in"), home / "out"
    command = ("run", source, "--out", out, "--action", "symlink", "--links", "relative")
    assert sorter(*command, "--layout", YEAR_FIRST).returncode == 0
    link = out / "2019" / "red" / "1.jpg"
    assert os.fspath(link.readlink()) == "../../../in/a/1.jpg"
    assert sorter(*command, "--layout", YEAR_FIRST).returncode == 0
    refused = sorter(*command[:-2], "--layout", YEAR_FIRST)
    assert refused.returncode == 2 and "--links relative" in refused.stderr
    home.rename(tmp_path / "elsewhere")
    moved = tmp_path / "elsewhere" / "out" / "2019" / "red" / "1.jpg"
    assert moved.read_bytes() == (tmp_path / "elsewhere" / "in" / "a" / "1.jpg").read_bytes()
    (tmp_path / "elsewhere").rename(home)
    undone = sorter("undo", out)
    assert undone.returncode == 0 and "4 files" in undone.stdout
    assert not tree(out)


KILLED = """
import os, signal, sys
from pathlib import Path
from sorter.output import disk
from sorter.sort.options import SortOptions
from sorter.sort.run import sort_folder
from sorter.types import ActionKind

link, made = os.symlink, []
def symlink(*names):
    if made: os.kill(os.getpid(), signal.SIGKILL)
    link(*names)
    made.append(names)
disk.os.symlink = symlink
root, model = Path(sys.argv[1]), Path(sys.argv[2])
action = ActionKind.SYMLINK
sort_folder(SortOptions((root / "in",), root / "out", model=model, workers=1, action=action, links="relative"))
"""


def test_a_killed_run_makes_the_rest_of_its_links_relative_too(tmp_path: Path, model: Path) -> None:
    from sorter.types import ActionKind

    photos(tmp_path / "in")
    arguments = [sys.executable, "-c", KILLED, tmp_path, model]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    sort_folder(options(tmp_path, model, action=ActionKind.SYMLINK, links="relative"))
    links = [path for path in (tmp_path / "out").rglob("*") if path.is_symlink()]
    assert len(links) == 4
    assert not any(link.readlink().is_absolute() for link in links)


@pytest.mark.parametrize("action", ["copy", "hardlink", "symlink"])
def test_a_dry_run_reports_the_folders_and_makes_none(tmp_path: Path, model: Path, action: str) -> None:
    from sorter.types import ActionKind

    photos(tmp_path / "in")
    report = tmp_path / "would.csv"
    sort_folder(
        options(tmp_path, model, layout=YEAR_FIRST, action=ActionKind(action), dry_run=True, report=report)
    )
    assert {Path(row["destination"]).relative_to(tmp_path / "out").as_posix() for row in rows(report)} == {
        *("2019/red/1.jpg", "2019/blue/2.jpg", "2021/red/1.jpg", "2020/blue/3.jpg")
    }
    assert not (tmp_path / "out").exists()

"""`sorter run --action tag`: nothing moves, sidecars get keywords once, and an undo gives back every byte."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from support.commands import Sorter
from support.photos import BLUE, RED, make_photo
from support.sidecars import LIGHTROOM

from sorter.output import tagger
from sorter.sort.options import SortOptions
from sorter.sort.review import Review
from sorter.sort.run import sort_folder
from sorter.sort.undo import undo
from sorter.types import ActionKind


def library(root: Path) -> Path:
    make_photo(root / "a.jpg", RED, seed=1)
    make_photo(root / "b.png", BLUE, seed=2)
    make_photo(root / "c.jpg", RED, seed=3)
    (root / "c.xmp").write_bytes(LIGHTROOM)
    (root / "c.xmp").chmod(0o640)
    os.utime(root / "c.xmp", ns=(10**18, 10**18))
    return root


def state(root: Path) -> dict[str, tuple[bytes, int, int]]:
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def options(root: Path, model: Path, **more: object) -> SortOptions:
    values = {"model": model, "workers": 1, "action": ActionKind.TAG, **more}
    return SortOptions((root / "in",), root / "out", **values)  # type: ignore[arg-type]


def test_sidecars_get_the_class_once_and_undo_gives_back_every_byte(tmp_path: Path, sorter: Sorter) -> None:
    root, out = library(tmp_path / "in"), tmp_path / "out"
    before = state(root)
    command = ("run", root, "--out", out, "--action", "tag", "--tag-prefix", "sorter", "--rating", "red=5")
    done = sorter(*command)
    assert done.returncode == 0, done.stderr
    tagged = state(root)
    assert set(tagged) == {"a.jpg", "a.jpg.xmp", "b.png", "b.png.xmp", "c.jpg", "c.xmp"}
    assert b"sorter|red" in tagged["a.jpg.xmp"][0] and b">5</xmp:Rating>" in tagged["a.jpg.xmp"][0]
    assert b"sorter/blue" in tagged["b.png.xmp"][0] and b"Rating" not in tagged["b.png.xmp"][0]
    assert b"sorter|red" in tagged["c.xmp"][0] and b"Places|Rome" in tagged["c.xmp"][0]
    assert b'Rating="2"' in tagged["c.xmp"][0] and tagged["c.xmp"][2] == before["c.xmp"][2]
    assert all(tagged[name] == before[name] for name in ("a.jpg", "b.png", "c.jpg"))
    again = sorter(*command)
    assert again.returncode == 0 and state(root) == tagged
    undone = sorter("undo", out)
    assert undone.returncode == 0 and "3 files" in undone.stdout
    assert state(root) == before
    assert sorter(*command).returncode == 0
    assert {name: data for name, (data, *_) in state(root).items()} == {
        name: data for name, (data, *_) in tagged.items()
    }


def test_another_class_replaces_only_our_keyword(tmp_path: Path, model: Path) -> None:
    root = library(tmp_path / "in")
    before = state(root)
    sort_folder(options(tmp_path, model))
    edited = (root / "b.png.xmp").read_bytes().replace(b"<rdf:Bag>", b"<rdf:Bag><rdf:li>mine</rdf:li>", 1)
    (root / "b.png.xmp").write_bytes(edited)
    sort_folder(options(tmp_path, model, unsure=(0.0, 0.5)))  # now blue ones are unsure
    assert b">unsure<" in (root / "b.png.xmp").read_bytes()
    assert b">blue<" not in (root / "b.png.xmp").read_bytes()
    assert b">mine<" in (root / "b.png.xmp").read_bytes()
    assert undo(tmp_path / "out").left == ()
    assert set(state(root)) == {*before, "b.png.xmp"}
    assert (
        b">mine<" in (root / "b.png.xmp").read_bytes()
        and b">unsure<" not in (root / "b.png.xmp").read_bytes()
    )


def test_a_review_changes_the_keyword_and_takes_it_back(tmp_path: Path, model: Path) -> None:
    root = library(tmp_path / "in")
    sort_folder(options(tmp_path, model))
    with closing(Review.open(tmp_path / "out")) as review:
        review.assign([review.table.id[0]], "blue")
        assert review.apply().filed == 1
        assert b">blue<" in (root / "a.jpg.xmp").read_bytes()
        assert b">red<" not in (root / "a.jpg.xmp").read_bytes()
        assert review.undo_apply().filed == 1
        assert b">red<" in (root / "a.jpg.xmp").read_bytes()


def test_photos_that_were_only_scored_are_tagged_without_decoding(tmp_path: Path, model: Path) -> None:
    root = library(tmp_path / "in")
    sort_folder(options(tmp_path, model, action=ActionKind.NONE))
    assert not (root / "a.jpg.xmp").exists()
    assert sort_folder(options(tmp_path, model)).decoded == 0
    assert b">red<" in (root / "a.jpg.xmp").read_bytes()


def test_a_sidecar_that_cannot_be_read_costs_one_row(tmp_path: Path, model: Path) -> None:
    root = library(tmp_path / "in")
    (root / "a.jpg.xmp").write_bytes(b"broken <")
    summary = sort_folder(options(tmp_path, model))
    assert summary.failed == {"not-filed": 1}
    assert "a.jpg.xmp was left as it is: it is no XML" in (tmp_path / "out" / "report.csv").read_text()
    assert (root / "a.jpg.xmp").read_bytes() == b"broken <"
    (root / "a.jpg.xmp").unlink()
    assert not sort_folder(options(tmp_path, model)).failed
    assert b">red<" in (root / "a.jpg.xmp").read_bytes()


def test_a_change_in_the_last_moment_is_never_lost(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = library(tmp_path / "in")
    whole = tagger.replace_if

    def late(staging: Path, target: Path, known: object) -> bool:
        target.write_bytes(LIGHTROOM.replace(b"+0.35", b"+2.00"))
        return whole(staging, target, known)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(tagger, "replace_if", late)
        assert sort_folder(options(tmp_path, model)).failed == {"not-filed": 1}
    assert (root / "c.xmp").read_bytes() == LIGHTROOM.replace(b"+0.35", b"+2.00")
    sort_folder(options(tmp_path, model))
    assert b"+2.00" in (root / "c.xmp").read_bytes() and b">red<" in (root / "c.xmp").read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
from sorter.output import tagger
from sorter.sort.options import SortOptions
from sorter.sort.run import sort_folder
from sorter.types import ActionKind

def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
moment, root, model = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
whole = tagger._carry_out
done = []
def carry_out(change):
    if len(done) == 1 and moment == "between": die()
    whole(change)
    done.append(change)
    if len(done) == 3 and moment == "written": die()
tagger._carry_out = carry_out
if moment == "staged":
    tagger.publish = die
sort_folder(SortOptions((root / "in",), root / "out", model=model, workers=1, action=ActionKind.TAG))
"""


@pytest.mark.parametrize("moment", ["staged", "between", "written"])
def test_killed_at_any_moment_the_same_command_ends_it(tmp_path: Path, model: Path, moment: str) -> None:
    root = library(tmp_path / "in")
    before = state(root)
    arguments = [sys.executable, "-c", KILLED, moment, tmp_path, model]
    assert subprocess.run(arguments, check=False).returncode == -signal.SIGKILL
    sort_folder(options(tmp_path, model))
    assert set(state(root)) == {*before, "a.jpg.xmp", "b.png.xmp"}
    assert all(
        data.count(b">red<") + data.count(b">blue<") >= 1
        for name, (data, *_) in state(root).items()
        if "xmp" in name
    )
    assert undo(tmp_path / "out").left == ()
    assert state(root) == before


def test_a_dry_run_writes_no_sidecar_and_wrong_flags_are_refused(tmp_path: Path, sorter: Sorter) -> None:
    root, out = library(tmp_path / "in"), tmp_path / "out"
    before = state(root)
    assert sorter("run", root, "--out", out, "--action", "tag", "--dry-run").returncode == 0
    assert state(root) == before
    for flags in (
        ("--tag-prefix", "x"),
        ("--action", "tag", "--rating", "cat=3"),
        ("--action", "tag", "--rating", "red"),
    ):
        refused = sorter("run", root, "--out", out, *flags)
        assert refused.returncode == 2, flags
        assert flags[-2] in refused.stderr and "Traceback" not in refused.stderr

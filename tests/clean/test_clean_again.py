"""A second run knows what the first one found out; a run that was killed is finished by the next."""

from __future__ import annotations

import random
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from support.cleaning import jpeg, look, put, rows_of
from support.commands import command, hashes

from sorter.clean.options import CleanOptions
from sorter.clean.run import clean
from sorter.sort.undo import undo
from sorter.types import Limits


def test_an_unchanged_folder_is_not_decoded_again(tmp_path: Path) -> None:
    root = tmp_path / "in"
    for seed in range(6):
        put(root / f"{seed}.jpg", jpeg(seed))
    given = CleanOptions((root,), workers=1, cache_file=tmp_path / "cache.db")
    first = clean(given)
    rows, page = rows_of(first, root), (tmp_path / "clean.html").stat().st_mtime_ns
    second = clean(given)
    assert (first.examined, first.cached, second.examined, second.cached) == (6, 0, 0, 6)
    assert rows_of(second, root) == rows
    assert (tmp_path / "clean.html").stat().st_mtime_ns == page
    put(root / "3.jpg", b"\xff\xd8\xff and no more")
    third = clean(given)
    assert (third.examined, third.cached) == (1, 5)
    assert third.actions == {"quarantined": 1}
    assert clean(replace(given, limits=Limits(megapixels=100.0))).examined == 5
    fourth = clean(given)
    assert fourth.counts == {"broken": 1, "ok": 5}


def test_thresholds_need_no_new_look(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "a.jpg", jpeg(0))
    given = CleanOptions((root,), workers=1, cache_file=tmp_path / "cache.db")
    assert clean(given).counts == {"ok": 1}
    strict = clean(replace(given, thresholds=replace(given.thresholds, min_size=1000)))
    assert strict.counts == {"poor": 1} and strict.cached == 1


def test_a_cache_that_is_damaged_is_no_cache(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "a.jpg", jpeg(0))
    put(tmp_path / "cache.db", b"this is no database, whatever it was before" * 100)
    assert clean(CleanOptions((root,), workers=1, cache_file=tmp_path / "cache.db")).counts == {"ok": 1}


def test_killed_at_any_moment_nothing_is_lost_and_the_next_run_finishes(tmp_path: Path, model: Path) -> None:
    root, quarantine = tmp_path / "in", tmp_path / "in-quarantine"
    for seed in range(4):
        put(root / f"good{seed}.jpg", jpeg(seed))
    for number in range(150):
        put(root / str(number % 7) / f"bad{number}.jpg", b"\xff\xd8\xff" + number.to_bytes(2, "big") * 50)
    before = hashes(root)
    given = command(model, "clean", root, "-j", "1", "--quiet")
    dice, partly = random.Random(0), 0
    for _ in range(8):
        process = subprocess.Popen(given)
        want = dice.randrange(0, 150)
        while process.poll() is None and len(list(quarantine.rglob("bad*"))) < want:
            time.sleep(0.0005)
        process.kill()
        process.wait(60)
        here, there = hashes(root), hashes(quarantine) if quarantine.exists() else {}
        assert {**here, **there} == before and not here.keys() & there.keys()
        partly += 0 < len(there) < 150
        if len(there) == 150:
            undo(quarantine)
    assert partly, "no run was killed while it moved files"
    summary, rows = look(root, workers=1)
    assert summary.counts == {"broken": 150, "ok": 4} and len(rows) == 154
    assert len(hashes(quarantine)) == 150
    assert undo(quarantine).restored == 150
    assert hashes(root) == before

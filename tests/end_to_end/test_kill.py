"""`kill -9` at any moment, then the same command again: it ends as if nothing had been."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.commands import command, hashes, read_report
from support.kills import Moment, killed, run
from support.photos import BLUE, RED, make_photo

from sorter.output.journal import Journal

ROUNDS, FEW_ROUNDS = 30, 5
LABELS = ("red", "blue")


@dataclass(frozen=True)
class Ending:
    """All that a run leaves behind, without the folders that a test happens to be in."""

    output: dict[str, str]
    source: dict[str, str]
    report: list[dict[str, str]]
    times: dict[str, int]

    @classmethod
    def of(cls, source: Path, out: Path) -> Ending:
        rows = [
            {key: value.replace(f"{out}/", "OUT/").replace(f"{source}/", "IN/") for key, value in row.items()}
            for row in read_report(out)
        ]
        times = {name: (out / name).stat().st_mtime_ns for name in hashes(out)}
        return cls(hashes(out), hashes(source), rows, times)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small photos in several folders, many of them with the same names, and some files that are none."""
    folder = tmp_path_factory.mktemp("originals")
    for number in range(96):
        name = f"IMG_{number // 6}.jpg" if number < 72 else "same.png"
        inner = folder / str(number % 6 if number < 72 else number)
        make_photo(inner / name, (RED, BLUE)[number % 5 < 2], (24, 16), seed=number)
    (folder / "1" / "broken.jpg").write_text("no photo")
    (folder / "4" / "notes.txt").write_text("no photo")
    return folder


def copied(originals: Path, target: Path) -> Path:
    return Path(shutil.copytree(originals, target))  # with their times


def placed(out: Path) -> int:
    return sum(len(list((out / label).glob("*"))) for label in LABELS)


def staged(out: Path) -> int:
    return len(list((out / ".sorter" / "staging").glob("*")))


def moments(dice: random.Random, seconds: float, photos: int) -> Iterator[tuple[Moment, float]]:
    """A condition to wait for and seconds to wait after it, without end: a third each by time, by how far the
    filing has come, and around what happens but once."""
    once: list[Moment] = [
        lambda out: (out / ".sorter" / "journal.db").exists(),
        lambda out: staged(out) > 0,
        lambda out: placed(out) > 0,
        lambda out: placed(out) >= photos,
        lambda out: (out / ".report.html.part").exists() or (out / "report.html").exists(),
    ]
    while True:
        yield (lambda out: True), dice.uniform(0.05, seconds)
        count = dice.randrange(1, photos)
        yield (lambda out, count=count: placed(out) >= count), dice.uniform(0, 0.01)  # type: ignore[misc]
        yield dice.choice(once), dice.choice((0, 0.0003, 0.003, 0.03, 0.1)) * dice.random()


def check_nothing_lost(before: dict[str, str], source: Path, out: Path, moving: bool) -> None:
    """At the moment of death every photo is whole, and no folder of a class holds half of one."""
    in_source, in_output = hashes(source), hashes(out) if out.exists() else {}
    wanted = set(before.values())
    assert set(in_output.values()) <= wanted
    assert set(in_source.items()) <= set(before.items())
    if moving:
        assert set(in_source.values()) | set(in_output.values()) == wanted
    else:
        assert in_source == before


def check_settled(out: Path) -> None:
    with closing(Journal.read(out)) as journal:
        assert journal.setting("state") == "done"
        assert journal.unfinished() == []
    assert [path for path in out.rglob("*") if path.name.endswith(".part")] == []


@pytest.mark.parametrize(
    ("action", "seed", "elsewhere", "rounds"),
    [
        pytest.param("copy", 1, False, FEW_ROUNDS, id="copy", marks=pytest.mark.slow),
        pytest.param("move", 2, False, FEW_ROUNDS, id="move"),
        pytest.param("move", 3, True, FEW_ROUNDS, id="move-to-another-disk", marks=pytest.mark.slow),
        pytest.param("copy", 1, False, ROUNDS, id="copy-often", marks=pytest.mark.slow),
        pytest.param("move", 2, False, ROUNDS, id="move-often", marks=pytest.mark.slow),
        pytest.param("move", 3, True, 10, id="move-to-another-disk-often", marks=pytest.mark.slow),
    ],
)
def test_killed_run_goes_on(
    tmp_path: Path, model: Path, originals: Path, action: str, seed: int, elsewhere: bool, rounds: int
) -> None:
    """Kill, check that nothing is lost, perhaps kill the next run too, go on, compare, undo, compare."""
    outputs = tmp_path
    if elsewhere:
        shared = Path("/dev/shm")
        if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is no second file system to move to")
        outputs = shared / f"{tmp_path.parent.name}-{tmp_path.name}"
        outputs.mkdir()
    try:
        _kill_rounds(tmp_path, outputs, model, originals, action, seed, rounds)
    finally:
        if elsewhere:
            shutil.rmtree(outputs)


def _kill_rounds(
    sources: Path, outputs: Path, model: Path, originals: Path, action: str, seed: int, rounds: int
) -> None:
    def given(source: Path, out: Path) -> list[str]:
        return command(model, "run", source, "--out", out, "--action", action, "-j", "1")

    source, out = copied(originals, sources / "plain"), outputs / "plain-out"
    before = hashes(source)
    began = time.monotonic()
    done = run(*given(source, out))
    seconds = time.monotonic() - began
    assert done.returncode == 3, done.stderr  # one broken photo
    expected = Ending.of(source, out)
    assert len(expected.output) == 96
    dice = random.Random(seed)
    plans = moments(dice, seconds, 96)
    chosen = [(next(plans), next(plans) if number % 3 == 0 else None) for number in range(rounds)]
    dice.shuffle(chosen)

    def one(number: int) -> int:
        source, out = copied(originals, sources / f"in{number}"), outputs / f"out{number}"
        what = given(source, out)
        kills = 0
        for plan in chosen[number]:
            if plan is not None:
                kills += killed(what, out, *plan)
                check_nothing_lost(before, source, out, action == "move")
        done = run(*what)
        assert done.returncode == 3, (number, done.stderr)
        assert Ending.of(source, out) == expected, number
        check_settled(out)
        if number % 2:
            undone = run(*command(model, "undo", out))
            assert undone.returncode == 0, (number, undone.stdout, undone.stderr)
            assert hashes(source) == before
            assert hashes(out) == {}
        shutil.rmtree(source)
        shutil.rmtree(out)
        return kills

    with ThreadPoolExecutor(4) as threads:  # half of the time they wait for the disk
        kills = sum(threads.map(one, range(rounds)))
    assert kills >= rounds // 2  # the rest had come to their end before


@pytest.mark.parametrize(
    ("action", "seed"),
    [pytest.param("copy", 4, marks=pytest.mark.slow), pytest.param("move", 5, marks=pytest.mark.slow)],
)
def test_killed_refiling_goes_on(
    tmp_path: Path, model: Path, originals: Path, action: str, seed: int
) -> None:
    """A changed threshold moves every red photo among the blue ones, and back again."""
    source, out = copied(originals, tmp_path / action / "in"), tmp_path / action / "out"
    plain = command(model, "run", source, "--out", out, "--action", action, "-j", "1")
    strict = [*plain, "--threshold", "0.999999999"]
    expected = []
    for what in (plain, strict, plain):
        began = time.monotonic()
        assert run(*what).returncode == 3
        seconds = time.monotonic() - began
        expected.append(Ending.of(source, out))
    assert expected[0] == expected[2]
    assert {row["label"] for row in expected[1].report} == {"blue", ""}
    reds = sum(name.startswith("red/") for name in expected[0].output)
    dice = random.Random(seed)
    for number in range(6):
        what, start, wanted = (plain, 0, expected[0]) if number % 2 else (strict, reds, expected[1])
        # How many are red tells how far it has come.
        count = dice.randrange(0, reds)

        def far_enough(out: Path, start: int = start, count: int = count) -> bool:
            return abs(len(list((out / "red").glob("*"))) - start) > count

        by_time = number % 3 == 2
        killed(
            what,
            out,
            (lambda out: True) if by_time else far_enough,
            dice.uniform(0.2, seconds) if by_time else dice.uniform(0, 0.003),
        )
        assert sorted(hashes(out).values()) == sorted(expected[0].output.values())
        done = run(*what)
        assert done.returncode == 3, done.stderr
        assert Ending.of(source, out) == wanted, number
        check_settled(out)


@pytest.mark.parametrize(
    "action",
    ["move", *(pytest.param(each, marks=pytest.mark.slow) for each in ("copy", "hardlink", "symlink"))],
)
def test_killed_undo_goes_on(tmp_path: Path, model: Path, originals: Path, action: str) -> None:
    source, out = copied(originals, tmp_path / "in"), tmp_path / "out"
    sort = command(model, "run", source, "--out", out, "--action", action, "-j", "1")
    undo = command(model, "undo", out)
    before = hashes(source)
    dice = random.Random(action)
    for number in range(4):
        done = run(*sort)  # after the first time from the journal, without decoding
        assert done.returncode == 3, done.stderr
        assert placed(out) == 96
        count = dice.randrange(1, 96)
        killed(undo, out, lambda out, count=count: placed(out) <= 96 - count, dice.uniform(0, 0.003))  # type: ignore[misc]
        check_nothing_lost(before, source, out, action == "move")
        undone = run(*undo)
        assert undone.returncode == 0, (number, undone.stdout, undone.stderr)
        assert hashes(source) == before
        assert placed(out) == 0
        assert [path for path in (*source.rglob("*"), *out.rglob("*")) if ".part" in path.name] == []


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos with a raw, two sidecars and a film each, the same names in several folders."""
    folder = tmp_path_factory.mktemp("sets")
    for number in range(24):
        inner, stem = folder / str(number % 4), f"IMG_{number // 4}"
        make_photo(inner / f"{stem}.jpg", (RED, BLUE)[number % 5 < 2], (24, 16), seed=number)
        for name in (f"{stem}.CR3", f"{stem}.jpg.xmp", f"{stem}.pp3", f"{stem}_HEVC.MOV"):
            (inner / name).write_bytes(random.Random(f"{number} {name}").randbytes(200_000))
    return folder


def torn(source: Path, out: Path) -> list[str]:
    """Photos of which a part lies here and a part there, by the rows of the report."""
    found = []
    for row in read_report(out):
        home = Path(row["destination"] or row["path"])
        number = home.stem.removeprefix(Path(row["path"]).stem)
        stem = Path(row["path"]).stem
        names = [name.replace(stem, stem + number) for name in row["companions"].split("/")]
        assert len(names) == 4
        found += [str(home) for name in names if not (home.parent / name).exists()]
    return found


@pytest.mark.parametrize(
    ("action", "seed", "rounds"),
    [
        pytest.param("move", 6, 2, id="move", marks=pytest.mark.slow),
        pytest.param("copy", 7, 4, id="copy", marks=pytest.mark.slow),
        pytest.param("move", 8, 24, id="move-often", marks=pytest.mark.slow),
    ],
)
def test_a_kill_tears_no_set(
    tmp_path: Path, model: Path, sets: Path, action: str, seed: int, rounds: int
) -> None:
    """A run is killed, an undo is killed, then one of them goes on: each set is whole, here or there."""
    source, out = copied(sets, tmp_path / "in"), tmp_path / "out"
    sort = command(model, "run", source, "--out", out, "--action", action, "-j", "1")
    undo = command(model, "undo", out)
    before = hashes(source)
    assert run(*sort).returncode == 0
    expected = Ending.of(source, out)
    assert torn(source, out) == []
    assert len(expected.output) == 120
    assert run(*undo).returncode == 0
    dice = random.Random(seed)
    for number in range(rounds):
        if number % 4 == 2:
            shutil.rmtree(out)  # decode anew, too
        count = dice.randrange(1, 120)
        killed(sort, out, lambda out, count=count: placed(out) >= count, dice.uniform(0, 0.003))  # type: ignore[misc]
        check_nothing_lost(before, source, out, action == "move")
        assert run(*sort).returncode == 0
        assert Ending.of(source, out) == expected, number
        check_settled(out)
        killed(undo, out, lambda out, count=count: placed(out) <= 120 - count, dice.uniform(0, 0.003))  # type: ignore[misc]
        check_nothing_lost(before, source, out, action == "move")
        if number % 2:
            assert run(*sort).returncode == 0
            assert Ending.of(source, out) == expected, number
        assert run(*undo).returncode == 0
        assert (hashes(source), hashes(out)) == (before, {}), number

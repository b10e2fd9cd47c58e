"""What a person says of sorted photos: kept at once, undone and redone, applied, taken back, exported."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.commands import hashes, read_report
from support.models import make_model
from support.photos import BLUE, RED, make_photo
from support.sorted_folder import CLASSES, make_journal, make_output

from sorter.engines.choice import EngineOptions
from sorter.model.labels import doubts, predicted_labels
from sorter.model.rule import Rule
from sorter.output.journal import FILE, FOLDER, VERSION, Journal, JournalError, RunSettings, locked
from sorter.sort.options import SortOptions
from sorter.sort.review import Review
from sorter.sort.run import sort_folder
from sorter.sort.table import read_table
from sorter.sort.undo import undo
from sorter.train.corrections import CorrectionCounts, choose_examples, count_corrections
from sorter.train.retrain import RetrainOptions
from sorter.types import ActionKind, Decision, Failure, Photo, Reason, Scores, Status, UsageError


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Red: 1, 2, 4. Blue: 3, 5. Failed: 6."""
    return make_output(tmp_path / "out", [0.99, 0.8, 0.1, 0.55, 0.3])


def right(review: Review) -> list[str | None]:
    return [photo.corrected for photo in review.photos()]


# -- what is said --------------------------------------------------------------------------------------------------


def test_shows_every_file_with_what_the_model_says(out: Path) -> None:
    with closing(Review.open(out)) as review:
        photos = list(review.photos())
    assert [photo.id for photo in photos] == [1, 2, 3, 4, 5, 6]
    assert [photo.label for photo in photos] == ["red", "red", "blue", "red", "blue", None]
    assert [photo.probability for photo in photos] == [0.99, 0.8, 0.1, 0.55, 0.3, None]
    assert photos[0].path == out / "red" / "0.png"
    assert photos[0].path.is_file()
    assert photos[5].failure == Failure(Reason.CORRUPT, "the header is damaged")
    most_doubtful = max(photos[:5], key=lambda photo: photo.doubt or 0)
    assert most_doubtful.probability == 0.55


def test_corrections_are_kept_and_undone_after_a_restart(out: Path) -> None:
    with closing(Review.open(out)) as review:
        assert review.assign([1, 2], "blue") == 2
        assert review.assign([2], "red") == 1
        assert review.assign([2], "red") == 0  # says nothing new
        assert review.assign([6], "red") == 0  # was never scored
    with closing(Review.open(out)) as review:
        assert right(review) == ["blue", "red", None, None, None, None]
        assert review.undo() == [2]
        assert right(review) == ["blue", "blue", None, None, None, None]
    with closing(Review.open(out)) as review:
        assert sorted(review.undo()) == [1, 2]
        assert right(review) == [None] * 6
        assert review.undo() == []
        assert not review.steps[0]
        assert sorted(review.redo()) == [1, 2]
        assert review.redo() == [2]
        assert right(review) == ["blue", "red", None, None, None, None]
        assert not review.steps[1]
        review.undo()
        review.assign([5], "red")  # what was undone cannot be redone after something new
        assert not review.steps[1]


def test_confirms_what_is_not_corrected(out: Path) -> None:
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
        assert review.confirm(range(1, 7)) == 4
        found = [(each.id, each.predicted, each.right) for each in review.corrections()]
        assert found == [
            (1, "red", "blue"),
            (2, "red", "red"),
            (3, "blue", "blue"),
            (4, "red", "red"),
            (5, "blue", "blue"),
        ]
        review.undo()
        assert len(review.corrections()) == 1
        assert review.assign([1], None) == 1
        assert not review.corrections()


def test_refuses_what_is_no_class_and_no_output(out: Path, tmp_path: Path) -> None:
    with closing(Review.open(out)) as review, pytest.raises(UsageError, match="'green' is none of"):
        review.assign([1], "green")
    with pytest.raises(JournalError, match="holds no journal"):
        Review.open(tmp_path)
    Journal.open(tmp_path / "empty").close()
    with pytest.raises(UsageError, match="holds no photos that `sorter run` sorted"):
        Review.open(tmp_path / "empty")


def test_says_nothing_while_another_process_is_at_work(out: Path) -> None:
    with closing(Review.open(out)) as review:
        with locked(out), pytest.raises(JournalError, match="another sorter is at work"):
            review.assign([1], "blue")
        assert right(review) == [None] * 6
        assert review.assign([1], "blue") == 1


def test_a_kill_loses_no_correction(out: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from sorter.sort.review import Review\n"
        "review = Review.open(Path(sys.argv[1])); review.assign([1, 3], 'blue'); review.assign([3], 'red')\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(out)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    with closing(Review.open(out)) as review:
        assert right(review) == ["blue", None, "red", None, None, None]


def test_another_picture_under_the_name_is_not_corrected(out: Path) -> None:
    with closing(Review.open(out)) as review:
        review.assign([1, 2], "blue")
    with closing(Journal.open(out)) as journal:
        (entry,) = journal.of([1])
        assert entry.scores is not None
        assert entry.decision is not None
        with journal.transaction():
            journal.scored(replace(entry.photo, size=entry.photo.size + 1), entry.scores, entry.decision, 1)
    with closing(Review.open(out)) as review:
        assert right(review) == [None, "blue", None, None, None, None]


def test_reads_and_upgrades_a_journal_without_corrections(out: Path) -> None:
    with closing(sqlite3.connect(out / FOLDER / FILE)) as connection:
        connection.execute("DROP TABLE corrections")
        connection.execute("DROP TABLE remembered")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    assert len(read_table(out)) == 6  # reading leaves it as it is
    with closing(sqlite3.connect(out / FOLDER / FILE)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
    with closing(sqlite3.connect(out / FOLDER / FILE)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)
    with closing(Review.open(out)) as review:
        assert right(review)[0] == "blue"


class Steps(RuleBasedStateMachine):
    """The journal's undo and redo beside the obvious: a list of whole states, and where in it we are."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        out = make_journal(Path(self.folder.name) / "out", 6)
        self.review = Review.open(out)
        self.states: list[dict[int, str | None]] = [dict.fromkeys(range(1, 7))]
        self.at = 0

    def _now(self, changed: dict[int, str | None]) -> None:
        if changed != self.states[self.at]:
            self.states = [*self.states[: self.at + 1], changed]
            self.at += 1

    @rule(ids=st.sets(st.integers(1, 6)), label=st.sampled_from(["red", "blue", None]))
    def assign(self, ids: set[int], label: str | None) -> None:
        self.review.assign(ids, label)
        self._now(self.states[self.at] | dict.fromkeys(ids, label))

    @rule(ids=st.sets(st.integers(1, 6)))
    def confirm(self, ids: set[int]) -> None:
        before = self.states[self.at]
        self.review.confirm(ids)
        new = {each: "red" if each % 2 else "blue" for each in ids if before[each] is None}
        self._now(before | new)

    @rule()
    def undo(self) -> None:
        assert bool(self.review.undo()) == (self.at > 0)
        self.at = max(self.at - 1, 0)

    @rule()
    def redo(self) -> None:
        assert bool(self.review.redo()) == (self.at < len(self.states) - 1)
        self.at = min(self.at + 1, len(self.states) - 1)

    @precondition(lambda self: self.at)
    @rule()
    def restart(self) -> None:
        self.review.close()
        self.review = Review.open(self.review.table.out)

    @invariant()
    def holds(self) -> None:
        found = {photo.id: photo.corrected for photo in self.review.photos()}
        assert found == self.states[self.at]
        assert bool(self.review.steps[0]) == (self.at > 0)
        assert bool(self.review.steps[1]) == (self.at < len(self.states) - 1)

    def teardown(self) -> None:
        self.review.close()
        self.folder.cleanup()


TestSteps = Steps.TestCase
TestSteps.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)


# -- rules over columns --------------------------------------------------------------------------------------------


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=20),
    st.floats(0.01, 0.99),
    st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda pair: (min(pair), max(pair))),
)
def test_a_rule_over_columns_is_the_rule(
    values: list[float], threshold: float, unsure: tuple[float, float] | None
) -> None:
    two = Rule(CLASSES, "red", threshold, unsure)
    column = np.array(values)
    said = predicted_labels(two, column, np.full(len(values), -1, np.int16))
    expected = [two(Scores((value, 1 - value), 1, 1)).label for value in values]
    assert [(*CLASSES, "unsure")[code] for code in said] == expected
    assert np.all((doubts(two, column) >= 0) & (doubts(two, column) <= 1))
    three = Rule(("a", "b", "c"), None, 0.5, unsure)
    scores = [Scores((value, (1 - value) * 0.75, (1 - value) * 0.25), 1, 1) for value in values]
    table = np.array([each.probabilities for each in scores])
    said = predicted_labels(three, table.max(1), table.argmax(1).astype(np.int16))
    assert [("a", "b", "c", "unsure")[code] for code in said] == [three(each).label for each in scores]


def test_reads_more_than_two_classes(tmp_path: Path) -> None:
    rule = Rule(("a", "b", "c"), None, 0.5)
    with closing(Journal.open(tmp_path)) as journal, journal.transaction():
        for number, values in enumerate([(0.1, 0.2, 0.7), (0.6, 0.3, 0.1), (0.3, 0.4, 0.3)]):
            scores = Scores(values, 5, 4)
            journal.scored(Photo(Path(f"/{number}"), Path(f"{number}"), 1, 1), scores, rule(scores), None)
        journal.failed(Photo(Path("/x"), Path("x"), 1, 1), Failure(Reason.EMPTY))
        journal.set_run(RunSettings("letters", None, "0", ActionKind.NONE, "flat", rule))
    table = read_table(tmp_path)
    assert [table.labels[code] if code >= 0 else None for code in table.predicted] == ["c", "a", "b", None]
    assert int(np.nanargmax(table.doubt)) == 2


# -- the folders ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["copy", "move", "hardlink", "symlink"])
def test_applies_takes_back_and_undoes(tmp_path: Path, kind: str) -> None:
    out = make_output(tmp_path / "out", [0.9, 0.8, 0.1, 0.2], ActionKind(kind), tree=kind == "hardlink")
    before, source = hashes(out), hashes(tmp_path / "in")
    names = sorted(before)
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
        review.confirm([2, 3])
        (move,) = review.plan()
        assert (move.id, move.before, move.after) == (1, "red", "blue")
        assert hashes(out) == before  # nothing moves before it is asked to
        applied = review.apply()
        assert (applied.filed, applied.left) == (1, ())
        assert not review.plan()
        assert review.table.path(0).parts[len(out.parts)] == "blue"
        assert review.table.path(0).is_symlink() == (kind == "symlink")
        after = hashes(out)
        assert sorted(after.values()) == sorted(before.values())
        assert len([name for name in after if name.startswith("blue/")]) == 3
        assert hashes(tmp_path / "in") == source
        assert review.undo_apply().filed == 1
        assert sorted(hashes(out)) == names
        assert [each.right for each in review.corrections()] == ["blue", "red", "blue"]  # waits to be applied
        assert len(review.plan()) == 1
        review.apply()
    undone = undo(out)
    assert (undone.restored, undone.left) == (4, ())
    assert not hashes(out)
    if kind == "move":
        assert len(hashes(tmp_path / "in")) == 4
    with closing(Review.open(out)) as review:
        assert not review.plan()  # nothing lies in the output
        assert len(review.corrections()) == 3


def test_never_overwrites(out: Path) -> None:
    mine = out / "blue" / "0.png"
    mine.write_text("mine")
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
        assert review.apply().filed == 1
        assert mine.read_text() == "mine"
        assert review.table.path(0).name == "0 (2).png"


def test_a_photo_that_is_gone_is_named_and_the_rest_is_done(out: Path) -> None:
    with closing(Review.open(out)) as review:
        review.assign([1, 2], "blue")
        (out / "red" / "0.png").unlink()
        applied = review.apply()
        assert applied.filed == 1
        (left,) = applied.left
        assert left.path == out / "red" / "0.png"
        assert "no longer there" in left.message
        assert [move.id for move in review.plan()] == [1]  # is tried again


def test_a_threshold_waits_to_be_applied(out: Path) -> None:
    with closing(Review.open(out)) as review:
        review.assign([4], "red")
        review.decide_by(replace(review.table.rule, threshold=0.9))
        assert [photo.label for photo in review.photos()][:5] == ["red", "blue", "blue", "blue", "blue"]
        assert [(move.id, move.after) for move in review.plan()] == [(2, "blue")]
    with closing(Review.open(out)) as review:
        assert review.table.rule.threshold == 0.9
        assert not review.applied
        review.apply()
        assert review.applied
        assert [row["label"] for row in read_report_or_none(out)] == []
        review.undo_apply()
        assert not review.applied
        assert (out / "red" / "0 (2).png").exists()
        assert [move.id for move in review.plan()] == [2]


def test_a_threshold_is_a_step_of_the_same_history(out: Path) -> None:
    with closing(Review.open(out)) as review:
        review.assign([3], "red")
        review.decide_by(replace(review.table.rule, threshold=0.9))
        review.decide_by(replace(review.table.rule, threshold=0.9))  # says nothing new
        review.assign([4], "red")
    with closing(Review.open(out)) as review:
        assert review.undo() == [4]
        assert review.steps == (1, 1)
        assert review.undo() == []
        assert (review.table.rule.threshold, review.steps) == (0.5, (1, 1))
        assert right(review) == [None, None, "red", None, None, None]  # no mark was undone in its place
    with closing(Review.open(out)) as review:
        assert review.table.rule.threshold == 0.5
        assert review.undo() == [3]
        assert review.steps == (0, 1)
        assert review.redo() == [3]
        assert review.redo() == []
        assert review.table.rule.threshold == 0.9
        assert review.redo() == [4]
        assert review.steps == (1, 0)
        review.undo()
        review.undo()
        review.assign([1], "blue")  # what was undone cannot be redone after something new
        assert review.steps == (1, 0)
        assert review.table.rule.threshold == 0.5


def test_a_threshold_changes_no_mark(out: Path) -> None:
    """Whether a person changed a photo's class was settled when they did it."""
    with closing(Review.open(out)) as review:
        review.confirm([1, 2])
        review.assign([4], "blue")

        def figures() -> tuple[list[int], list[int]]:
            table = review.table
            return table.id[table.checked].tolist(), table.id[table.changed].tolist()

        assert figures() == ([1, 2, 4], [4])
        for threshold in (0.9, 0.05, 0.995):
            review.decide_by(replace(review.table.rule, threshold=threshold))
            assert figures() == ([1, 2, 4], [4])
        review.confirm([3])
        assert figures() == ([1, 2, 3, 4], [4])
        review.reload()
        assert figures() == ([1, 2, 3, 4], [4])
        for _ in range(3):
            review.undo()
        assert figures() == ([1, 2, 4], [4])
        assert review.undo() == []
        review.undo()
        assert figures() == ([1, 2], [])
        review.redo()
        assert figures() == ([1, 2, 4], [4])


def test_a_threshold_that_a_run_overruled_is_no_step(out: Path) -> None:
    with closing(Review.open(out)) as review:
        review.assign([4], "blue")
        review.decide_by(replace(review.table.rule, threshold=0.9))
    with closing(Journal.open(out)) as journal, journal.transaction():
        settings = journal.run_settings()
        assert settings is not None
        journal.set_run(replace(settings, rule=replace(settings.rule, threshold=0.2), reviewed_rule=None))
    with closing(Review.open(out)) as review:
        assert review.undo() == [4]
        assert review.table.rule.threshold == 0.2


def read_report_or_none(out: Path) -> list[dict[str, str]]:
    return read_report(out) if (out / "report.csv").exists() else []


def test_an_apply_that_was_killed_goes_on(out: Path) -> None:
    """The journal says what was to be done, the file system what was."""
    with closing(Review.open(out)) as review:
        review.assign([1, 2], "blue")
    with closing(Journal.open(out)) as journal, journal.transaction():
        for entry in journal.of([1, 2]):
            assert entry.scores is not None
            assert entry.filing is not None
            journal.scored(entry.photo, entry.scores, Decision("blue", 0.9, Status.SORTED), entry.filing)
            journal.plan_again(entry.filing, out / "blue" / f"{entry.id}-new.png")
    (out / "red" / "0.png").rename(out / "blue" / "1-new.png")  # the second was not moved any more
    with closing(Review.open(out)) as review:
        review.apply()
        assert sorted(path.name for path in (out / "blue").iterdir()) == [
            "1-new.png",
            "1.png",
            "2-new.png",
            "2.png",
        ]
        assert not review.plan()


def test_a_run_left_where_it_was_has_nothing_to_apply(tmp_path: Path) -> None:
    out = make_output(tmp_path / "out", [0.9, 0.1], ActionKind.NONE)
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
        assert not review.plan()
        with pytest.raises(UsageError, match="export the corrected set"):
            review.apply()


def test_runs_again_respect_what_was_applied(tmp_path: Path, model: Path) -> None:
    """A new threshold files anew what the model decided, and leaves what a person did."""
    for number, colour in enumerate([RED, RED, BLUE, (130, 30, 128)]):
        make_photo(tmp_path / "in" / f"{number}.png", colour, (40, 40), seed=number)
    options = SortOptions(
        (tmp_path / "in",), tmp_path / "out", model, engine=EngineOptions("onnx", "fp32"), workers=1
    )
    sort_folder(options)
    with closing(Review.open(tmp_path / "out")) as review:
        review.assign([1], "blue")
        review.assign([2], "blue")
        review.undo()  # nothing is said of the second
        review.apply()
        report = read_report(tmp_path / "out")
        assert report[0]["label"] == "blue"
        assert report[0]["destination"] == str(tmp_path / "out" / "blue" / "0.png")
    for threshold in (0.999, 0.001):
        sort_folder(replace(options, threshold=threshold))
        assert (tmp_path / "out" / "blue" / "0.png").exists(), threshold
    assert sorted(path.name for path in (tmp_path / "out" / "red").iterdir()) == ["1.png", "3.png"]
    with closing(Review.open(tmp_path / "out")) as review:
        assert review.table.rule.threshold == 0.001  # the latest run's
        assert not review.plan()


def test_marks_carried_into_a_fresh_run_are_undone_one_by_one(tmp_path: Path, model: Path) -> None:
    """As one step, two undos would clear them all, and the next mark would forget them for good."""
    for number in range(3):
        make_photo(tmp_path / "in" / f"{number}.png", RED, (40, 40), seed=number)
    out = tmp_path / "out"
    options = SortOptions((tmp_path / "in",), out, model, engine=EngineOptions("onnx", "fp32"), workers=1)
    sort_folder(options)
    with closing(Review.open(out)) as review:
        review.assign([1, 2], "blue")
    sort_folder(replace(options, model=make_model(tmp_path / "other", temperature=2.0).folder, fresh=True))
    with closing(Review.open(out)) as review:
        review.assign([3], "blue")
        assert [review.undo() for _ in range(3)] == [[3], [1], [2]]
        assert review.redo() == [2]
        review.assign([3], "blue")
        assert right(review) == [None, "blue", "blue"]


def test_what_was_said_outlives_a_fresh_run_with_another_model(tmp_path: Path, model: Path) -> None:
    for number, colour in enumerate([RED, RED, BLUE]):
        make_photo(tmp_path / "in" / f"{number}.png", colour, (40, 40), seed=number)
    out = tmp_path / "out"
    options = SortOptions(
        (tmp_path / "in",), out, model, ActionKind.MOVE, engine=EngineOptions("onnx", "fp32"), workers=1
    )
    sort_folder(options)
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
        review.assign([2], "blue")
        review.apply()
    other = make_model(tmp_path / "other", temperature=2.0).folder
    (tmp_path / "in").mkdir(exist_ok=True)
    undo(out)
    make_photo(tmp_path / "in" / "1.png", RED, (41, 41), seed=9)  # is another picture now
    sort_folder(replace(options, model=other, fresh=True))
    with closing(Review.open(out)) as review:
        assert [(each.predicted, each.right) for each in review.corrections()] == [("red", "blue")]
        (move,) = review.plan()
        assert (move.path, move.after) == (out / "red" / "0.png", "blue")
        review.undo()
        assert not review.corrections()
    three = make_model(tmp_path / "three", ("red", "green", "sky")).folder
    with closing(Review.open(out)) as review:
        review.redo()
    sort_folder(replace(options, model=three, fresh=True))
    with closing(Review.open(out)) as review:
        assert not review.corrections()  # was said of classes that are no more
        assert not review.plan()
        assert review.apply().filed == 0


def test_exports_the_corrected_set(out: Path, tmp_path: Path) -> None:
    before = hashes(out)
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
        review.confirm([2])
        exported = review.export(tmp_path / "set")
        assert (exported.filed, exported.left) == (5, ())
        assert hashes(out) == before
        names = sorted(hashes(tmp_path / "set"))
        assert names == ["blue/0.png", "blue/1.png", "blue/2.png", "red/0 (2).png", "red/1.png"]
        rows = read_report(tmp_path / "set")
        assert [(row["label"], row["said"], row["review"]) for row in rows] == [
            ("blue", "red", "corrected"),
            ("red", "red", "confirmed"),
            ("blue", "blue", ""),
            ("red", "red", ""),
            ("blue", "blue", ""),
            ("", "", ""),
        ]
        review.assign([2], "blue")  # and again, for what was said since
        again = review.export(tmp_path / "set")
        assert (again.filed, again.left) == (0, ())
        assert len([name for name in hashes(tmp_path / "set") if name.startswith("blue/")]) == 4
        with pytest.raises(UsageError, match="export to another"):
            review.export(out / "set")
        make_journal(tmp_path / "other", 1)
        with pytest.raises(UsageError, match="holds what another command wrote"):
            review.export(tmp_path / "other")
    assert undo(tmp_path / "set").restored == 5
    assert hashes(out) == before


# -- classes -------------------------------------------------------------------------------------------------------


def labels(review: Review) -> list[str | None]:
    return [photo.corrected or photo.label for photo in review.photos()]


def test_unsure_is_an_answer_too(out: Path, tmp_path: Path) -> None:
    before = hashes(out)
    with closing(Review.open(out)) as review:
        assert review.assign([1, 2], "unsure") == 2
        assert review.assign([2], "unsure") == 0  # it is already
        assert [move.after for move in review.plan()] == ["unsure", "unsure"]
        assert review.steps == (2, 0)
    with closing(Review.open(out)) as review:  # it is durable
        assert right(review) == ["unsure", "unsure", None, None, None, None]
        assert review.table.checked.sum() == review.table.changed.sum() == 2
        assert review.confirm([1, 2, 3]) == 1  # what is unsure is no class to confirm
        assert review.apply().filed == 2
        assert len(list((out / "unsure").iterdir())) == 2
        assert review.plan() == []
        review.export(tmp_path / "set")
        assert {row["label"] for row in read_report(tmp_path / "set")} >= {"unsure"}
        review.undo_apply()
        assert hashes(out) == before
        assert review.undo() == [3]
        assert review.undo() == [1, 2]
        assert right(review) == [None] * 6


def test_nothing_is_learned_from_what_is_unsure_or_set_aside(out: Path, tmp_path: Path) -> None:
    with closing(Review.open(out)) as review:
        review.assign([1, 2], "unsure")
        review.set_aside([3])
    assert count_corrections(out) == CorrectionCounts(out, 0, 0)
    options = RetrainOptions(out, tmp_path / "model", doubt=1.0)
    with pytest.raises(UsageError, match="no photo has been corrected"):
        choose_examples(read_table(out), options)
    with closing(Review.open(out)) as review:
        review.confirm([4])
    split = choose_examples(read_table(out), options)
    learned = [(each.path.name, each.label) for each in (*split.training, *split.held_out)]
    assert sorted(learned) == [("1.png", "red"), ("2.png", "blue")]  # 4 and 5


def test_photos_set_aside_have_no_class_and_a_folder_of_their_own(out: Path, tmp_path: Path) -> None:
    before = hashes(out)
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
        assert review.set_aside([1, 3]) == 2
        assert review.set_aside([1, 6]) == 0  # 6 failed
    with closing(Review.open(out)) as review:
        assert review.table.aside.tolist() == [True, False, True, False, False, False]
        assert review.table.corrected.tolist() == [-1] * 6
        assert review.confirm([1, 2]) == 1
        assert [(move.id, move.after) for move in review.plan()] == [(1, "set aside"), (3, "set aside")]
        assert review.apply().filed == 2
        assert len(list((out / "set aside").iterdir())) == 2
        assert review.plan() == []
        review.export(tmp_path / "set")
        assert len([row for row in read_report(tmp_path / "set") if row["destination"]]) == 3
        review.undo_apply()
        assert hashes(out) == before
        review.undo()  # 2 is confirmed no more
        assert review.undo() == [1, 3]
        assert right(review)[0] == "blue"
        assert not review.table.aside.any()
        review.redo()
        assert review.assign([1], None) == 1  # it is back, with no mark
        assert review.table.aside.tolist() == [False, False, True, False, False, False]


def test_a_class_is_added_and_marked_and_all_of_it_is_undone(out: Path) -> None:
    with closing(Review.open(out)) as review:
        review.add_class("truck")
        assert review.classes == ("red", "blue", "truck")
        assert labels(review) == ["red", "red", "blue", "red", "blue", None]  # the model knows nothing of it
        review.assign([1, 3], "truck")
    with closing(Review.open(out)) as review:  # it is durable
        assert review.classes == ("red", "blue", "truck")
        assert right(review) == ["truck", None, "truck", None, None, None]
        assert review.steps == (2, 0)
        assert review.undo() == [1, 3]
        assert review.steps == (1, 2)
        assert review.undo() == []
        assert review.classes == ("red", "blue")
        assert review.steps == (0, 1)
        assert review.redo() == []
        assert review.redo() == [1, 3]
        assert right(review) == ["truck", None, "truck", None, None, None]
        assert review.steps == (2, 0)


def test_a_new_name_takes_marks_and_predictions_with_it(out: Path) -> None:
    with closing(Review.open(out)) as review:
        review.assign([3], "red")
        review.confirm([1])
        review.rename_class("red", "car")
        assert review.classes == ("car", "blue")
        assert labels(review) == ["car", "car", "car", "car", "blue", None]
        assert right(review) == ["car", None, "car", None, None, None]
        assert review.table.changed.tolist() == [False, False, True, False, False, False]
        assert review.table.positive == 0
        assert {(move.before, move.after) for move in review.plan()} == {("red", "car"), ("blue", "car")}
        assert review.apply().filed == 4
        assert not list((out / "red").iterdir())
        assert len(list((out / "car").iterdir())) == 4
        assert review.plan() == []
        review.undo()
        assert review.classes == ("red", "blue")
        assert labels(review) == ["red", "red", "red", "red", "blue", None]
        assert right(review) == ["red", None, "red", None, None, None]
        assert review.undo_apply().filed == 4
        assert len(list((out / "red").iterdir())) == 3


def test_merging_and_removing_classes(out: Path) -> None:
    with closing(Review.open(out)) as review:
        review.add_class("truck")
        review.assign([1], "truck")
        review.assign([2], "red")
        review.merge_class("red", "truck")
        assert review.classes == ("blue", "truck")
        assert labels(review) == ["truck", "truck", "blue", "truck", "blue", None]
        assert right(review) == ["truck", "truck", None, None, None, None]
        for change in (
            lambda: review.merge_class("blue", "truck"),
            lambda: review.remove_class("blue"),
            lambda: review.remove_class("red"),
            lambda: review.rename_class("blue", "Truck"),
            lambda: review.add_class("a/b"),
        ):
            with pytest.raises(UsageError):
                change()
        review.undo()
        review.remove_class("red")
        assert review.classes == ("blue", "truck")
        assert labels(review) == ["truck", "unsure", "blue", "unsure", "blue", None]
        assert right(review) == ["truck", None, None, None, None, None]
        assert review.apply().filed == 3
        assert len(list((out / "unsure").iterdir())) == 2
        review.undo()
        assert right(review) == ["truck", "red", None, None, None, None]


def test_thresholds_marks_and_classes_are_one_history(out: Path) -> None:
    with closing(Review.open(out)) as review:
        review.assign([1], "blue")
        review.rename_class("blue", "sky")
        review.decide_by(replace(review.table.rule, threshold=0.7))
        review.add_class("sea")
        review.assign([2], "sea")
        states = []
        for _ in range(5):
            states.append((review.classes, review.table.rule.threshold, right(review)[:2]))
            review.undo()
        assert states == [
            (("red", "sky", "sea"), 0.7, ["sky", "sea"]),
            (("red", "sky", "sea"), 0.7, ["sky", None]),
            (("red", "sky"), 0.7, ["sky", None]),
            (("red", "sky"), 0.5, ["sky", None]),
            (("red", "blue"), 0.5, ["blue", None]),
        ]
        assert right(review) == [None] * 6
        for state in (*reversed(states),):
            review.redo()
            assert (review.classes, review.table.rule.threshold, right(review)[:2]) == state
        review.undo()
        review.assign([4], "sky")  # what was undone is gone
        assert review.steps == (1, 0)


def test_an_export_has_the_classes_of_the_review(out: Path, tmp_path: Path) -> None:
    with closing(Review.open(out)) as review:
        review.rename_class("red", "car")
        review.add_class("truck")
        review.assign([1], "truck")
        assert review.export(tmp_path / "set").filed == 5
    assert sorted(path.name for path in (tmp_path / "set").iterdir() if path.is_dir()) == [
        ".sorter",
        "blue",
        "car",
        "truck",
    ]


def test_a_run_that_goes_on_keeps_what_was_moved_to_a_renamed_class(tmp_path: Path, model: Path) -> None:
    for number, colour in enumerate((RED, BLUE)):
        make_photo(tmp_path / "in" / f"{number}.png", colour, seed=number)
    options = SortOptions(
        (tmp_path / "in",), tmp_path / "out", model, engine=EngineOptions("onnx", "fp32"), workers=1
    )
    sort_folder(options)
    with closing(Review.open(tmp_path / "out")) as review:
        review.rename_class("red", "car")
        review.apply()
    make_photo(tmp_path / "in" / "2.png", RED, seed=5)
    sort_folder(options)
    assert [path.name for path in (tmp_path / "out" / "car").iterdir()] == ["0.png"]
    with closing(Review.open(tmp_path / "out")) as review:
        assert [photo.label for photo in review.photos()] == ["car", "blue", "car"]
        assert [(move.before, move.after) for move in review.plan()] == [("red", "car")]

"""From corrections to a model that has learned them, and what is held out to see it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.photos import BLUE, RED, make_photo
from support.retraining import correct, sort_purple

from sorter.model.folder import read_model
from sorter.model.rule import Rule
from sorter.progress import NoProgress, Progress
from sorter.sort.options import options_of_last_run
from sorter.sort.review import Review
from sorter.sort.run import sort_folder
from sorter.sort.table import Table, read_table
from sorter.train.corrections import choose_examples, count_corrections, label_examples
from sorter.train.retrain import (
    RetrainOptions,
    RetrainResult,
    discard,
    retrain,
    suggested_model,
)
from sorter.types import SorterError, UsageError


class Rows:
    """A training watch that keeps the epochs."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.rows: list[dict[str, Any]] = []
        self.begun: list[str] = []
        self.stop_at = stop_at

    def say(self, message: str) -> None:
        pass

    def begin(self, what: str, total: int | None) -> None:
        self.begun.append(what)

    def advance(self, steps: int, /, **figures: float) -> None:
        pass

    def epoch(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        if row["epoch"] == self.stop_at:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    folder = sort_purple(tmp_path_factory.mktemp("retraining"), model)
    correct(folder)
    return folder


@pytest.fixture(scope="module")
def retrained(out: Path) -> tuple[RetrainResult, Rows]:
    progress: Rows = Rows()
    options = RetrainOptions(out, out.parent / "new", doubt=0.5, recipe="small-cnn", workers=1)
    return retrain(options, progress), progress


def test_the_new_model_has_learned_the_corrections(retrained: tuple[RetrainResult, Rows]) -> None:
    result, progress = retrained
    model = read_model(result.model)
    model.verify()
    assert (model.classes, model.positive) == (("red", "blue"), "red")
    corrected, rest = result.score(corrected=True), result.score(corrected=False)
    assert (corrected.photos, corrected.before) == (4, 0)  # a third of twelve, all wrong by selection
    assert corrected.after == 4
    assert rest.before == rest.photos > 0
    assert rest.after == rest.photos
    assert len(progress.rows) == result.epochs
    assert progress.begun[-1] == "comparing"
    assert result.page.exists()


def test_nothing_held_out_is_learned_from(retrained: tuple[RetrainResult, Rows]) -> None:
    result, _ = retrained
    data = read_model(result.model).provenance["data"]
    learned = sum(sum(data["photos"][part].values()) for part in ("train", "val"))
    assert learned == result.trained_on
    assert sum(data["photos"]["test"].values()) == len(result.held_out)
    assert result.corrections == 12 - 4 + 4 - 1  # a third of the corrected and of the confirmed is held out


def test_what_there_is_to_learn_from_is_counted(out: Path, tmp_path: Path) -> None:
    found = count_corrections(out)
    assert (found.corrected, found.confirmed) == (12, 4)
    with pytest.raises(SorterError, match="holds no journal"):
        count_corrections(tmp_path)


def test_a_dataset_takes_the_place_of_the_rest(out: Path, tmp_path: Path) -> None:
    for number in range(8):
        make_photo(tmp_path / "data" / "train" / "red" / f"{number}.jpg", RED, seed=300 + number)
        make_photo(tmp_path / "data" / "train" / "blue" / f"{number}.jpg", BLUE, seed=400 + number)
    make_photo(tmp_path / "data" / "val" / "red" / "1.jpg", RED, seed=500)
    options = RetrainOptions(out, tmp_path / "new", tmp_path / "data")
    whole = read_table(out)
    photos = choose_examples(whole, options)
    learn, held_out = photos.training, photos.held_out
    assert {each.reviewed for each in learn} == {
        True
    }  # none of the rest; of that some are held out all the same
    assert {each.reviewed for each in held_out} == {True, False}
    labelled = label_examples(("red", "blue"), photos, options)
    names = {part: Counter(each.label for each in some) for part, some in labelled.parts.items()}
    assert names["train"] == {0: 8, 1: 8 + len(learn)}
    assert names["val"] == {0: 1}
    assert sum(names["test"].values()) == len(held_out)

    shutil.move(tmp_path / "data" / "train" / "red", tmp_path / "data" / "train" / "green")
    shutil.rmtree(tmp_path / "data" / "val")
    shutil.move(tmp_path / "data" / "train", tmp_path / "plain")
    with pytest.raises(
        UsageError, match=r"has folders for blue, green; the photos were sorted into red, blue"
    ):
        label_examples(("red", "blue"), photos, replace(options, dataset=tmp_path / "plain"))


def test_a_model_that_is_not_wanted_is_removed(retrained: tuple[RetrainResult, Rows], tmp_path: Path) -> None:
    result, _ = retrained
    shutil.copytree(result.model, tmp_path / "copy")
    discard(replace(result, model=tmp_path / "copy"))
    assert not (tmp_path / "copy").exists()
    assert result.model.exists()


def test_training_that_is_stopped_leaves_nothing(out: Path, tmp_path: Path) -> None:
    options = RetrainOptions(out, tmp_path / "new", doubt=0.5, recipe="small-cnn", workers=1)
    with pytest.raises(KeyboardInterrupt):
        retrain(options, Rows(stop_at=1))
    assert not options.model.exists()
    options.model.mkdir()
    (options.model / "precious.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        retrain(options, Rows())
    assert (options.model / "precious.txt").read_text() == "mine"


def test_too_little_is_said_so(tmp_path: Path, model: Path) -> None:
    progress: Progress = Rows()
    folder = sort_purple(tmp_path, model)
    options = RetrainOptions(folder, tmp_path / "new", doubt=0.0, recipe="small-cnn", workers=1)
    with pytest.raises(UsageError, match="no photo has been corrected"):
        retrain(options, progress)
    correct(folder, confirmed=0)
    with pytest.raises(UsageError, match="red: has only 0 photos to train on"):
        retrain(options, progress)
    assert not options.model.exists()


def test_a_suggested_folder_is_free(tmp_path: Path) -> None:
    assert suggested_model(tmp_path / "out") == tmp_path / "out-model"
    (tmp_path / "out-model").mkdir()
    assert suggested_model(tmp_path / "out") == tmp_path / "out-model (2)"


def table(probability: Sequence[float], corrected: Sequence[int]) -> Table:
    n = len(probability)
    zeros = np.zeros(n, np.int64)
    return Table(
        out=Path("/out"),
        labels=("a", "b", "unsure"),
        rule=Rule(("a", "b"), "a", 0.5),
        id=np.arange(n),
        probability=np.array(probability),
        likeliest=zeros.astype(np.int16),
        filed=zeros.astype(np.int16),
        corrected=np.array(corrected, np.int16),
        size=zeros,
        mtime_ns=zeros,
        width=zeros.astype(np.int32),
        height=zeros.astype(np.int32),
        failed=np.isnan(probability),
        source=[b"/in/%d.jpg" % number for number in range(n)],
        destination=[None] * n,
        failures={},
    )


rows = st.lists(
    st.tuples(st.one_of(st.floats(0, 1), st.just(float("nan"))), st.integers(-1, 1)), min_size=1, max_size=60
)


@settings(max_examples=200, deadline=None)
@given(rows, st.integers(0, 5))
def test_parts_never_share_a_photo(photos: list[tuple[float, int]], seed: int) -> None:
    probability, corrected = zip(*photos, strict=True)
    whole = table(probability, corrected)
    options = RetrainOptions(Path("/out"), Path("/new"), seed=seed)
    said = [p == p and c >= 0 for p, c in photos]
    if not any(said):
        with pytest.raises(UsageError):
            choose_examples(whole, options)
        return
    chosen = choose_examples(whole, options)
    learn, held_out = chosen.training, chosen.held_out
    assert chosen == choose_examples(whole, options)
    paths = [each.path for each in learn + held_out]
    assert len(set(paths)) == len(paths)
    # Whatever a person said is in one of the two, with their word; the rest only where the model is certain.
    words = {Path(f"/in/{n}.jpg"): "ab"[c] for n, (_, c) in enumerate(photos) if said[n]}
    assert {each.path: each.label for each in learn + held_out if each.reviewed} == words
    for each in learn + held_out:
        if not each.reviewed:
            assert each.label == each.predicted
            assert whole.doubt[int(each.path.stem)] <= options.doubt
    kinds = Counter((each.label, each.corrected) for each in learn + held_out if each.reviewed)
    held = Counter((each.label, each.corrected) for each in held_out if each.reviewed)
    for kind, count in kinds.items():
        assert held[kind] == (max(1, round(count / 3)) if count > 1 else 0)


@pytest.mark.slow
def test_a_class_that_a_person_added_is_learned(tmp_path: Path, model: Path) -> None:
    out = sort_purple(tmp_path, model)
    with closing(Review.open(out)) as review:
        review.add_class("purple")
        photos = {each.path.name: each.id for each in review.photos()}
        review.assign([number for name, number in photos.items() if "purple" in name], "purple")
        review.confirm([number for name, number in photos.items() if "blue" in name][:6])
    learned = retrain(RetrainOptions(out, tmp_path / "new", workers=1), NoProgress())
    assert read_model(learned.model).classes == ("red", "blue", "purple")
    assert learned.score(corrected=True).after == learned.score(corrected=True).photos == 4
    again = replace(options_of_last_run(out), model=learned.model, threshold=None, fresh=True, workers=1)
    assert sort_folder(again).counts == {"red": 16, "blue": 16, "purple": 12}
    with closing(Review.open(out)) as review:
        assert review.classes == ("red", "blue", "purple")
        assert sum(each.corrected == "purple" for each in review.photos()) == 12  # marks stay

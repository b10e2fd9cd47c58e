"""`sorter run --reject`: unfamiliar photos go to unsure; the flag changes as a threshold does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.commands import Sorter, hashes, read_report
from support.models import make_model
from support.photos import BLUE, RED, make_photo

from sorter.engines.choice import Choice
from sorter.engines.familiarity import Familiarity, read_familiarity
from sorter.engines.load import load_engine
from sorter.model.folder import FAMILIAR, Model, read_model, write_model
from sorter.model.labels import predicted_labels
from sorter.model.rule import Rule
from sorter.sort.table import read_table
from sorter.train.familiarity import fit_familiarity, write_familiarity
from sorter.types import Scores

GREEN = (30, 220, 30)


@pytest.fixture(scope="module")
def knowing(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The red / blue model, which knows the line of colours from red to blue."""
    model = make_model(tmp_path_factory.mktemp("models") / "knowing")
    rows = np.linspace((0.7, -0.7, -0.7), (-0.7, -0.7, 0.7), 40, dtype=np.float32)
    noise = np.random.default_rng(0).normal(0, 0.03, (2, 40, 3)).astype(np.float32)
    write_familiarity(model, fit_familiarity(rows + noise[0], rows + noise[1]))
    return write_model(model)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(3):
        make_photo(tmp_path / "in" / f"red{number}.png", RED, seed=number)
        make_photo(tmp_path / "in" / f"blue{number}.png", BLUE, seed=number)
    make_photo(tmp_path / "in" / "green.png", GREEN)
    return tmp_path / "in"


def labels(out: Path) -> dict[str, str]:
    return {Path(row["path"]).stem: row["label"] for row in read_report(out)}


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_unfamiliar_photos_go_to_unsure_and_have_a_column(
    photos: Path, knowing: Model, sorter: Sorter, tmp_path: Path, engine: str
) -> None:
    out = tmp_path / "out"
    flags = ("--model", knowing.folder, "--engine", engine, "--precision", "fp32")
    done = sorter("run", photos, "--out", out, "--reject", *flags)
    assert done.returncode == 0, done.stderr
    assert labels(out)["green"] == "unsure" and labels(out)["red0"] == "red"
    rows = {Path(row["path"]).stem: float(row["unfamiliar"]) for row in read_report(out)}
    assert rows["green"] > 1 > max(score for name, score in rows.items() if name != "green")
    assert (out / "unsure" / "green.png").exists()
    table = read_table(out)
    assert (table.predicted == table.filed).all()  # the review labels as the run did


@pytest.mark.parametrize("action", ["copy", "move"])
def test_the_flag_on_a_sorted_folder(
    photos: Path, knowing: Model, sorter: Sorter, tmp_path: Path, action: str
) -> None:
    out, before = tmp_path / "out", hashes(photos)

    def run(*flags: str) -> str:
        done = sorter("run", photos, "--out", out, "--model", knowing.folder, "--action", action, *flags)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run()
    assert "unsure" not in labels(out).values()
    assert "unfamiliar" not in read_report(out)[0]
    run("--reject")  # the photos are decoded again, where they lie
    assert labels(out)["green"] == "unsure"
    assert (out / "unsure" / "green.png").exists() and len(labels(out)) == 7
    report = (out / "report.csv").read_bytes()
    run("--reject")
    assert (out / "report.csv").read_bytes() == report
    run()  # the scores stay, so that nothing is decoded
    assert "unsure" not in labels(out).values()
    assert not list((out / "unsure").glob("*"))
    run("--reject")
    assert labels(out)["green"] == "unsure"
    run("--reject", "--fresh")
    assert labels(out)["green"] == "unsure"
    assert sorter("undo", out).returncode == 0
    assert hashes(photos) == before


def test_a_model_that_does_not_know_its_photos_says_so(
    photos: Path, model: Path, sorter: Sorter, tmp_path: Path
) -> None:
    done = sorter("run", photos, "--out", tmp_path / "out", "--reject")
    assert done.returncode == 2
    assert "--reject: colours" in done.stderr and "train it again" in done.stderr


def test_scores_are_the_distance_from_the_plane_over_the_limit(knowing: Model) -> None:
    found = read_familiarity(knowing.path(FAMILIAR))
    images = np.random.default_rng(1).normal(size=(2, 3, 32, 32)).astype("f")
    rows = load_engine(knowing, Choice("onnx", "fp32", unfamiliar=True))(images)
    plain = load_engine(knowing, Choice("onnx", "fp32"))(images)
    assert rows.shape == (2, 2) and np.array_equal(rows[:, :1], plain)
    means = images.mean((2, 3)).astype(float)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    off = means - found.mean
    inside = off @ found.basis.T @ found.basis
    assert rows[:, 1] == pytest.approx(np.linalg.norm(off - inside, axis=1) / found.limit, rel=1e-3)


def test_one_in_a_hundred_validation_photos_is_rejected() -> None:
    random = np.random.default_rng(0)
    training, validation = random.normal(1, 0.2, (2, 1000, 32)).astype(np.float32)
    known = fit_familiarity(training, validation)
    assert isinstance(known, Familiarity) and (known(validation) > 1).mean() == pytest.approx(0.01, abs=0.001)
    assert (known(-training) > 1).all()
    assert 0.001 < (fit_familiarity(training, None)(validation) > 1).mean() < 0.03


def test_the_rule_for_one_and_for_many_is_the_same(knowing: Model) -> None:
    rule = Rule.of(knowing, reject=True)
    assert Rule.from_json(rule.classes, rule.positive, rule.to_json()) == rule
    assert Rule.of(knowing).to_json() == [0.5, None]
    unfamiliar = np.array([0.5, 1.5, np.nan])
    codes = predicted_labels(rule, np.array([0.9, 0.9, 0.9]), np.zeros(3, np.int16), unfamiliar)
    scores = [Scores((0.9, 0.1), 1, 1, score) for score in (0.5, 1.5, None)]
    assert [(*rule.classes, "unsure")[code] for code in codes] == [rule(each).label for each in scores]
    assert read_model(knowing.folder).has(FAMILIAR)

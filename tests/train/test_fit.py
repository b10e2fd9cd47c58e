"""`sorter train` from folders to a model folder that `sorter run` sorts with."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.commands import Sorter, read_report
from support.photos import BLUE, RED, make_photo

from sorter.export.graph import onnx_runtime, trace
from sorter.model.folder import read_model
from sorter.photos.dataset import Example
from sorter.photos.fingerprint import Fingerprint
from sorter.train import features, recipes
from sorter.train.backbones import preprocess_of
from sorter.train.features import embed
from sorter.train.fit import train_model
from sorter.train.options import TrainOptions, resolve_recipe
from sorter.train.pretrained import WeightSource, make_network
from sorter.train.recipes import RECIPES, Phase, Recipe
from sorter.train.result import TrainResult
from sorter.train.training_set import TrainingSet
from sorter.train.work_folder import WORK
from sorter.types import Photo, SorterError, UsageError

GREEN = (30, 200, 30)
# Cached head, then fine-tuning; the batch norms of an untrained network need the second to see anything.
TINY = Recipe(
    "tiny",
    "",
    "",
    "test_efficientnet",
    (Phase(2, 1e-3, "head", cached=True), Phase(4, 3e-3)),
    pretrained=False,
    size=32,
    batch_size=8,
    augment="light",
)


class Silent:
    """A watch that keeps what it is told, and may stop training at an epoch."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.said: list[str] = []
        self.stop_at = stop_at

    def say(self, message: str) -> None:
        self.said.append(message)

    def begin(self, what: str, total: int | None) -> None:
        self.said.append(what)

    def advance(self, steps: int, /, **figures: float) -> None:
        pass

    def epoch(self, row: dict[str, object]) -> None:
        if row["epoch"] == self.stop_at:
            raise KeyboardInterrupt


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipes, "RECIPES", (*RECIPES, TINY))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "colours"
    for name, colour, first in (("red", RED, 0), ("not-red", BLUE, 100)):
        for number in range(16):
            make_photo(root / name / f"{number}.jpg", colour, seed=first + number)
    shutil.copy(root / "red" / "3.jpg", root / "red" / "copy.jpg")
    (root / "red" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    return root


@pytest.fixture(scope="module")
def trained(folders: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainResult, Silent]:
    progress = Silent()
    out = tmp_path_factory.mktemp("models") / "colours"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "RECIPES", (*RECIPES, TINY))
        options = TrainOptions(folders, out, recipe="tiny", workers=1, folds=2)
        return train_model(options, progress), progress


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_model_folder_is_whole(trained: tuple[TrainResult, Silent]) -> None:
    result, progress = trained
    folder = result.model.folder
    model = read_model(folder)
    model.verify()
    assert (model.classes, model.positive) == (("not-red", "red"), "red")
    assert 0 < model.threshold < 1
    assert model.temperature > 0
    assert model.provenance["recipe"]["name"] == "tiny"
    assert not (folder / WORK).exists()
    assert "1 exact and 0 near duplicates; duplicates are kept in one part." in progress.said
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("# colours\n")


def test_the_report_holds_history_figures_and_failures(
    trained: tuple[TrainResult, Silent], folders: Path
) -> None:
    result, _ = trained
    report = result.model.folder / "report"
    history = read_table(report / "history.csv")
    assert [row["phase"] for row in history] == ["1", "1", "2", "2", "2", "2"]
    figures = json.loads((report / "metrics.json").read_text(encoding="utf-8"))
    assert figures["photos"] == len(result.dataset.test)
    assert figures["data"]["exact_duplicates"] == 1
    assert len(figures["trials"]) == 2
    assert set(figures["mean_and_std"]) >= {"accuracy", "f1"}
    assert 0 <= figures["waiting"] <= 1
    (failure,) = read_table(report / "failures.csv")
    assert failure["path"].endswith("broken.jpg")
    assert "over 2 trials" in (report / "report.html").read_text(encoding="utf-8")


def test_run_scores_photos_as_training_did(
    trained: tuple[TrainResult, Silent], folders: Path, tmp_path: Path, sorter: Sorter
) -> None:
    result, _ = trained
    done = sorter(
        "run", folders, "--out", tmp_path / "out", "--model", result.model.folder, "--action", "none"
    )
    assert done.returncode == 3, done.stderr
    rows = {Path(row["path"]).name: row for row in read_report(tmp_path / "out") if "not-red" in row["path"]}
    spec = result.model.preprocess
    torch_model = make_network(TINY, 1, WeightSource(pretrained=False), 0)
    from safetensors.torch import load_file

    torch_model.load_state_dict(load_file(result.model.path("model.safetensors")))
    from sorter.photos.decode import Decoder

    decoded = Decoder(spec.min_side)(folders / "not-red" / "5.jpg")
    with torch.inference_mode():
        logit = float(torch_model(torch.from_numpy(spec.normalise(spec(decoded.pixels)[None]))))
    expected = result.model.probabilities((logit,))[1]
    assert float(rows["5.jpg"]["probability"]) == pytest.approx(expected, abs=1e-3)


def test_stopped_and_resumed_gives_the_same_model(folders: Path, tmp_path: Path) -> None:
    options = TrainOptions(folders, tmp_path / "a", recipe="tiny", workers=1, seed=3)
    train_model(options, Silent())
    again = replace(options, out=tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):
        train_model(again, Silent(stop_at=4))
    with pytest.raises(UsageError, match="add --resume"):
        train_model(again, Silent())
    with pytest.raises(UsageError, match="started with another seed"):
        train_model(replace(again, resume=True, seed=4), Silent())
    train_model(replace(again, resume=True), Silent())
    first, second = (tmp_path / name / "model.safetensors" for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(UsageError, match="is complete"):
        train_model(replace(again, resume=True), Silent())


def test_more_than_two_classes_and_parts_of_ones_own(folders: Path, tmp_path: Path) -> None:
    for part, count in (("train", 6), ("val", 3)):
        for at, (name, colour) in enumerate((("red", RED), ("green", GREEN), ("blue", BLUE))):
            for number in range(count):
                seed = 1000 * at + number + (500 if part == "val" else 0)
                make_photo(tmp_path / "data" / part / name / f"{number}.png", colour, seed=seed)
    result = train_model(
        TrainOptions(
            tmp_path / "data", tmp_path / "out", recipe="tiny", epochs=1, workers=1, balance="sampling"
        ),
        Silent(),
    )
    assert (result.part, result.metrics.photos, result.model.positive) == ("val", 9, None)
    assert result.model.classes == ("blue", "green", "red")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": "nothing"}, "--recipe nothing: is none of resnet50-sigmoid"),
        ({"epochs": -1}, "--epochs: -1 is below 0"),
        ({"lr": 0.0}, "--lr: 0 is not above zero"),
        ({"optimise": "luck"}, "--optimize luck"),
        ({"augment": "wild"}, "--augment wild"),
        ({"recipe": "small-cnn", "epochs": 0}, "leaves small-cnn without a phase"),
        ({"weights": Path("w"), "pretrained": False}, "--no-pretrained"),
        ({"folds": 0}, "--folds: 0 is below 1"),
    ],
)
def test_options_that_cannot_be(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve_recipe(replace(TrainOptions(Path("d"), Path("o")), **changes))  # type: ignore[arg-type]


def test_options_change_the_recipe() -> None:
    options = TrainOptions(Path("d"), Path("o"), recipe="fast", epochs=3, lr=0.5, patience=7, batch_size=9)
    recipe = resolve_recipe(options)
    assert [phase.epochs for phase in recipe.phases] == [1, 3]
    assert [phase.lr for phase in recipe.phases] == [0.0, 0.5]
    assert {phase.patience for phase in recipe.phases} == {7}
    assert recipe.batch_size == 9
    assert resolve_recipe(TrainOptions(Path("d"), Path("o"), backbone="efficientnet-lite0")).name == "fast"
    assert resolve_recipe(TrainOptions(Path("d"), Path("o"))).name == "resnet50-sigmoid"


def test_nothing_is_written_over_and_nothing_is_left_behind(folders: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        train_model(TrainOptions(folders, tmp_path / "full", recipe="tiny"), Silent())
    with pytest.raises(UsageError, match="no training was started"):
        train_model(TrainOptions(folders, tmp_path / "new", recipe="tiny", resume=True), Silent())
    with pytest.raises(UsageError, match="--positive green"):
        train_model(TrainOptions(folders, tmp_path / "new", recipe="tiny", positive="green"), Silent())
    with pytest.raises(UsageError, match="--backbone nonsense: timm has no such network"):
        train_model(TrainOptions(folders, tmp_path / "new", recipe="tiny", backbone="nonsense"), Silent())
    with pytest.raises(SorterError, match="--device cuda"):
        train_model(TrainOptions(folders, tmp_path / "new", recipe="tiny", device="cuda:0,1"), Silent())
    with pytest.raises(SorterError, match="unsure"):
        shutil.copytree(folders / "red", tmp_path / "data" / "unsure")
        shutil.copytree(folders / "red", tmp_path / "data" / "sure")
        train_model(TrainOptions(tmp_path / "data", tmp_path / "new", recipe="tiny"), Silent())
    assert not (tmp_path / "new").exists()


def test_features_are_computed_once(tmp_path: Path) -> None:
    network, spec = make_network(TINY, 1, WeightSource(), 0), preprocess_of(TINY)
    forward = features.torch_features(network.backbone, spec, torch.device("cpu"))
    calls = []
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    digests = ["a", "b", None, "a", "c"]

    def engine() -> features.FeatureExtractor:
        return lambda some: forward(some) if calls.append(1) is None else some

    def embedded(names: list[str | None]) -> np.ndarray:
        photos = [Photo(Path(f"{row}.jpg"), Path(f"{row}.jpg"), 1, 1) for row in range(len(names))]
        prints = {
            photo.path: Fingerprint(name, 0, 1, 1, "JPEG")
            for photo, name in zip(photos, names, strict=True)
            if name is not None
        }
        data = TrainingSet(tuple(Example(photo, 0) for photo in photos), spec, pixels, prints, ())
        found = embed(data, engine, "key", tmp_path / "f.npy", tmp_path / "cache", lambda _: None)
        return np.array(found.features)

    first = embedded(digests)
    assert len(calls) == 1
    assert not first[2].any()
    assert first[0].any()
    np.testing.assert_array_equal(first[0], first[3])
    np.testing.assert_array_equal(embedded(digests), first)
    assert len(calls) == 1
    embedded([*digests[:4], "d"])
    assert len(calls) == 2


def test_the_engine_gives_the_features_of_torch() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    backbone, spec = make_network(TINY, 1, WeightSource(), 0).backbone, preprocess_of(TINY)
    found = trace(backbone, spec.size)
    assert found is not None
    by_engine = features.onnx_features(onnx_runtime(found[0]), spec)(pixels)
    by_torch = features.torch_features(backbone, spec, torch.device("cpu"))(pixels)
    np.testing.assert_allclose(by_engine, by_torch, atol=1e-4)
    assert len(np.unique(by_engine[:, 0])) == len(pixels), "photos are told apart"


def test_recipes_are_listed(sorter: Sorter) -> None:
    shown = sorter("recipes").stdout
    for recipe in RECIPES:
        assert f"{recipe.name}\n  {recipe.summary}\n" in shown
        assert recipe.published in shown
    listed = json.loads(sorter("recipes", "--json").stdout)
    assert [each["name"] for each in listed] == [recipe.name for recipe in RECIPES]


def test_the_command(folders: Path, tmp_path: Path, sorter: Sorter) -> None:
    command = (
        "train",
        folders,
        "--out",
        tmp_path / "model",
        "--recipe",
        "small-cnn",
        "--epochs",
        "2",
        "--json",
        "-j",
        "1",
    )
    done = sorter(*command, timeout=300)
    assert done.returncode == 3, done.stderr  # one file is broken
    told = json.loads(done.stdout)
    assert (told["failed"], told["epochs"]) == (1, 2)
    again = sorter(*command)
    assert (again.returncode, "exists already" in again.stderr) == (2, True)


def test_a_table_of_labels_with_groups_and_shares(tmp_path: Path) -> None:
    rows = []
    for number in range(40):
        colour = RED if number % 2 else BLUE
        make_photo(tmp_path / f"{number}.jpg", colour, seed=number)
        rows.append(f"{number}.jpg,{'red' if number % 2 else 'not-red'},film {number // 4}")
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(("path,label,group", *rows)), encoding="utf-8")
    options = TrainOptions(table, tmp_path / "model", recipe="tiny", workers=1, epochs=0, val=0.2, test=0.3)
    dataset = train_model(options, Silent()).dataset
    sides = (dataset.train, dataset.val, dataset.test)
    assert [len(side) for side in sides] == [20, 8, 12]
    films = [{each.group for each in side} for side in sides]
    assert sum(map(len, films)) == 10
    table.write_text(
        table.read_text().replace(",group", ",split").replace("film ", "train"), encoding="utf-8"
    )
    with pytest.raises(UsageError, match="has the split 'train0'"):
        train_model(replace(options, out=tmp_path / "other"), Silent())


def test_shares_are_refused_where_the_data_name_parts(folders: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        shutil.copytree(folders, tmp_path / "data" / part)
    options = TrainOptions(tmp_path / "data", tmp_path / "model", recipe="tiny", workers=1)
    with pytest.raises(UsageError, match=r"--test: .*names its own parts"):
        train_model(replace(options, test=0.2), Silent())
    for wrong in (replace(options, val=0.0), replace(options, val=1.0), replace(options, val=0.5, test=0.5)):
        with pytest.raises(UsageError, match="--val"):
            resolve_recipe(wrong)

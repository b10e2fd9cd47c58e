"""A new head on a backbone that stays: without torch, and the same as with it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file
from support.photos import BLUE, RED, make_photo

from sorter.export.graph import join_head, onnx_runtime, split_head
from sorter.model.folder import WEIGHTS, ModelError, read_model, shipped_model
from sorter.model.network import build
from sorter.progress import NoProgress
from sorter.train import recipes
from sorter.train import retrain as retraining
from sorter.train.backbones import preprocess_of
from sorter.train.fit import train_model
from sorter.train.head_learner import BACKBONE, HEAD, find_backbone
from sorter.train.options import TrainOptions, resolve_recipe
from sorter.train.pretrained import WeightSource, make_network, weights_key
from sorter.train.recipes import FAST, LITE0, RECIPES, Phase, Recipe, find_recipe

GREEN = (30, 200, 30)
# The batch norms of an untrained network need fine-tuning to see anything.
WHOLE = Recipe(
    "whole", "", "", "test_efficientnet", (Phase(6, 3e-3),), pretrained=False, size=32, batch_size=8
)
EXACT = replace(WHOLE, name="exact", phases=(Phase(1, 0.0, "head", cached=True, optimiser="lbfgs", l2=0.1),))


@pytest.fixture(scope="module", autouse=True)
def _known() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipes, "RECIPES", (*RECIPES, WHOLE, EXACT))
        yield


def draw(folder: Path, **colours: tuple[int, int, int]) -> Path:
    for at, (name, colour) in enumerate(colours.items()):
        for number in range(12):
            make_photo(folder / name / f"{number}.jpg", colour, seed=100 * at + number)
    return folder


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of red and blue whose whole network was trained."""
    root = tmp_path_factory.mktemp("first")
    options = TrainOptions(draw(root / "data", red=RED, blue=BLUE), root / "model", recipe="whole", workers=1)
    return train_model(options, NoProgress()).model.folder


def test_a_graph_is_taken_apart_and_put_together(first: Path) -> None:
    proto = onnx.load(first / "model.onnx")
    tensors = load_file(first / WEIGHTS)
    parted = split_head(proto)
    assert parted is not None
    backbone, weight = parted
    np.testing.assert_array_equal(weight, tensors[f"{HEAD}weight"].numpy())
    inputs = np.random.default_rng(0).standard_normal((3, 3, 32, 32), dtype=np.float32)
    features = onnx_runtime(backbone, threads=1)(inputs)
    assert features.shape == (3, weight.shape[1])
    again = join_head(backbone, weight, tensors[f"{HEAD}bias"].numpy())
    expected, got = (onnx_runtime(each, threads=1)(inputs) for each in (proto, again))
    np.testing.assert_allclose(got, expected, atol=1e-5)
    assert split_head(backbone) is None, "it ends in no linear layer"


def test_three_classes_on_the_backbone_of_two(first: Path, tmp_path: Path) -> None:
    """Torch, ONNX Runtime and the trainer agree on the new network; of the old one only the head has changed."""
    data = draw(tmp_path / "data", red=RED, blue=BLUE, green=GREEN)
    options = TrainOptions(
        data, tmp_path / "new", "exact", weights=first / WEIGHTS, workers=1, folds=2, device="cpu"
    )
    trained = train_model(options, NoProgress())
    model = read_model(tmp_path / "new")
    model.verify()
    assert model.classes == ("blue", "green", "red")
    assert trained.metrics.estimates()["accuracy"].value > 0.8
    assert len(trained.trials) == 2
    assert "torch" not in model.provenance["packages"]
    before, after = load_file(first / WEIGHTS), load_file(model.path(WEIGHTS))
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith(BACKBONE))
    network = build(model.backbone, model.outputs).eval()
    network.load_state_dict(after)
    assert model.provenance["parameters"] == sum(each.numel() for each in network.parameters())
    inputs = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network(inputs).numpy()
    np.testing.assert_allclose(onnx_runtime(model.path("model.onnx"))(inputs.numpy()), expected, atol=1e-4)


def test_few_photos_are_all_learned_from(first: Path, tmp_path: Path) -> None:
    """Folds choose and measure, so no photo is held out."""
    data = draw(tmp_path / "data", red=RED, not_red=BLUE)
    options = TrainOptions(
        data, tmp_path / "new", "exact", weights=first / WEIGHTS, positive="red", workers=1, device="cpu"
    )
    trained = train_model(options, NoProgress())
    sizes = [len(part) for part in (trained.dataset.train, trained.dataset.val, trained.dataset.test)]
    assert sizes == [24, 0, 0]
    assert (trained.part, trained.metrics.photos) == ("folds", 24)
    report = json.loads((tmp_path / "new" / "report" / "metrics.json").read_text(encoding="utf-8"))
    assert (report["part"], report["photos"]) == ("folds", 24)
    assert report["accuracy"]["low"] <= report["accuracy"]["value"] <= report["accuracy"]["high"]
    card = (tmp_path / "new" / "README.md").read_text(encoding="utf-8")
    assert "Measured on all 24 photos, each scored by a head that did not learn from it." in card
    page = (tmp_path / "new" / "report" / "report.html").read_text(encoding="utf-8")
    assert "24, all of data, each scored by a head that did not learn from it" in page


def test_test_photos_of_ones_own_are_not_learned_from(first: Path, tmp_path: Path) -> None:
    """As in retraining, where the held-out photos are a test part."""
    draw(tmp_path / "data" / "train", red=RED, blue=BLUE)
    make_photo(tmp_path / "data" / "test" / "red" / "1.jpg", RED, seed=900)
    make_photo(tmp_path / "data" / "test" / "blue" / "1.jpg", BLUE, seed=901)
    options = TrainOptions(tmp_path / "data", tmp_path / "new", "exact", weights=first / WEIGHTS, workers=1)
    trained = train_model(replace(options, device="cpu"), NoProgress())
    sizes = [len(part) for part in (trained.dataset.train, trained.dataset.val, trained.dataset.test)]
    assert sizes == [24, 0, 2]
    assert (trained.part, trained.metrics.photos) == ("test", 2)


def test_torch_finds_the_same_head(first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = draw(tmp_path / "data", red=RED, not_red=BLUE)
    options = TrainOptions(data, tmp_path / "a", "exact", weights=first / WEIGHTS, positive="red", workers=1)
    train_model(options, NoProgress())
    monkeypatch.setattr("sorter.train.select_learner.find_backbone", lambda *_: None)
    train_model(replace(options, out=tmp_path / "b"), NoProgress())
    ours, theirs = (read_model(tmp_path / name) for name in "ab")
    assert "torch" in theirs.provenance["packages"]
    assert theirs.threshold == pytest.approx(ours.threshold, abs=0.02)
    inputs = np.random.default_rng(0).standard_normal((4, 3, 32, 32), dtype=np.float32)
    said = [onnx_runtime(model.path("model.onnx"))(inputs) for model in (ours, theirs)]
    np.testing.assert_allclose(said[0], said[1], rtol=1e-2, atol=1e-2)


def test_the_shipped_backbone_is_the_one_of_the_package() -> None:
    """What lets `--recipe fast` take the one for the other."""
    recipe = find_recipe(FAST)
    found = find_backbone(
        resolve_recipe(TrainOptions(Path("d"), Path("o"), FAST)), TrainOptions(Path("d"), Path("o"))
    )
    assert found is not None
    assert found.origin.folder == shipped_model()
    assert found.origin.preprocess == preprocess_of(recipe)
    tensors = {name.removeprefix(BACKBONE): torch.from_numpy(each) for name, each in found.tensors.items()}
    backbone = make_network(recipe, 1, WeightSource(), 0).backbone
    assert set(tensors) == set(backbone.state_dict())
    key = weights_key(backbone)
    backbone.load_state_dict(tensors)
    assert weights_key(backbone) == key


@pytest.mark.parametrize(
    "changes",
    [
        {"epochs": 2},
        {"size": 96},
        {"pretrained": False},
        {"backbone": "efficientnet-lite2"},
        {"recipe": "small-cnn"},
        {"weights": Path("other.safetensors")},
        {"weights": Path("nowhere") / WEIGHTS},
    ],
)
def test_what_torch_is_needed_for(changes: dict[str, object]) -> None:
    options = replace(TrainOptions(Path("d"), Path("o"), FAST, backbone=LITE0), **changes)  # type: ignore[arg-type]
    assert find_backbone(resolve_recipe(options), options) is None


def test_a_fine_tuned_backbone_is_nobodys_pretrained_one(
    first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = TrainOptions(Path("d"), Path("o"), "exact")
    assert find_backbone(EXACT, replace(options, weights=first / WEIGHTS)) is not None
    monkeypatch.setattr("sorter.train.head_learner.shipped_model", lambda: first)
    assert find_backbone(replace(EXACT, pretrained=True), options) is None


def test_a_damaged_folder_is_not_learned_on(first: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(first, tmp_path / "damaged")
    with (folder / "model.onnx").open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    options = TrainOptions(Path("d"), Path("o"), "exact", weights=folder / WEIGHTS)
    with pytest.raises(ModelError, match=r"model\.onnx: is not the file that model\.json describes"):
        find_backbone(EXACT, options)


def test_retraining_keeps_the_backbone_of_the_model_that_sorted(first: Path) -> None:
    given = retraining.backbone_options(read_model(first), FAST)
    options = TrainOptions(Path("d"), Path("o"), FAST, **given)
    found = find_backbone(resolve_recipe(options), options)
    assert found is not None
    assert found.origin.folder == first
    assert retraining.backbone_options(read_model(first), "small-cnn") == {}
    assert retraining.backbone_options(None, FAST) == {}


def test_the_fast_recipe_needs_neither_torch_nor_a_network(tmp_path: Path) -> None:
    draw(tmp_path / "data", red=RED, blue=BLUE)
    command = (
        "import sys\nfrom sorter.cli import main\nif __name__ == '__main__':\n"
        "    code = main(sys.argv[1:])\n    sys.exit(code or int('torch' in sys.modules))"
    )
    script = tmp_path / "train.py"
    script.write_text(command, encoding="utf-8")
    arguments = ("train", tmp_path / "data", "--out", tmp_path / "model", "--recipe", "fast")
    arguments += ("--device", "cpu", "--json", "-j", "1")
    done = subprocess.run(
        [sys.executable, script, *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accuracy"]["value"] == 1.0
    read_model(tmp_path / "model").verify()

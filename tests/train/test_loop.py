"""The loop learns, chooses the best epoch, and goes on after a stop as if there had been none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sorter.photos.preprocess import Preprocess
from sorter.train.augment import augmentation
from sorter.train.batches import Batches
from sorter.train.checkpoint import TrainingState
from sorter.train.learner import class_weights, validation_scores
from sorter.train.loop import predict, train
from sorter.train.optimise import WeightAverage, learning_rate, loss_of, plateau, stalled
from sorter.train.pretrained import WeightSource, make_network
from sorter.train.recipes import AUGMENTATIONS, Phase, Recipe
from sorter.train.settings import TrainSettings
from sorter.train.training_set import Subset

SIZE = 32
SPEC = Preprocess(SIZE, "squash", "bilinear", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
EVERYTHING = Recipe(
    "everything",
    "",
    "",
    "test_efficientnet",
    (
        Phase(3, 1e-2, "head", cached=True),
        Phase(3, 1e-3, 2, schedule="one-cycle", layer_decay=0.8, optimiser="adam"),
        Phase(2, 1e-4, schedule="plateau", warmup=0.1, optimiser="sgd"),
    ),
    size=SIZE,
    head=(8,),
    dropout=0.2,
    batch_size=8,
    weight_decay=1e-2,
    label_smoothing=0.05,
    mixup=0.2,
    cutmix=1.0,
    ema=0.9,
    augment="strong",
    balance="sampling",
)


class Stopped(Exception):
    pass


class Looking:
    """A watch that remembers, and stops training after so many epochs."""

    def __init__(self, stop_after: int = 10**6) -> None:
        self.left = stop_after
        self.rows: list[dict[str, Any]] = []

    def say(self, message: str) -> None:
        pass

    def begin(self, what: str, total: int | None) -> None:
        pass

    def advance(self, steps: int, /, **figures: float) -> None:
        if self.left == 0:
            raise Stopped

    def epoch(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        self.left -= 1


def photos(classes: int, each: int, seed: int = 0) -> Subset:
    """Noise whose brightest channel is the class."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    pixels = rng.integers(0, 160, (len(labels), SIZE, SIZE, 3), dtype=np.uint8)
    for row, label in enumerate(labels):
        pixels[row, :, :, label] += 90
    return Subset(np.arange(len(labels)), labels, pixels)


def with_features(network: Any, some: Subset) -> Subset:
    with torch.inference_mode():
        features = network.backbone(torch.from_numpy(SPEC.normalise(some.pixels))).numpy()
    return replace(some, features=features)


def run(recipe: Recipe, classes: int, progress: Looking, **settings: Any) -> tuple[Any, TrainingState]:
    network = make_network(recipe, 1 if classes == 2 else classes, WeightSource(pretrained=False), seed=0)
    learn, choose = (with_features(network, photos(classes, each, seed)) for each, seed in ((11, 0), (6, 1)))
    progress = train(
        network, recipe, learn, choose, TrainSettings(0, classes, SPEC, seed=5, **settings), progress
    )
    return network, progress


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def timeless(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


@pytest.mark.parametrize(("classes", "stops"), [(2, range(8)), (3, (2, 4))])
def test_stopped_anywhere_it_goes_on_as_if_it_never_had_been(
    tmp_path: Path, classes: int, stops: Sequence[int]
) -> None:
    whole, expected = run(EVERYTHING, classes, Looking())
    assert [row["phase"] for row in expected.history] == [1, 1, 1, 2, 2, 2, 3, 3]
    for stop_after in stops:
        checkpoint = tmp_path / f"{stop_after}.pt"
        with pytest.raises(Stopped):
            run(EVERYTHING, classes, Looking(stop_after), checkpoint=checkpoint, save_seconds=0.0)
        resumed, progress = run(EVERYTHING, classes, Looking(), checkpoint=checkpoint, save_seconds=0.0)
        assert timeless(progress.history) == timeless(expected.history)
        for name, tensor in whole.state_dict().items():
            assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_it_learns_and_ends_with_the_best_epoch() -> None:
    recipe = replace(
        EVERYTHING,
        backbone="small-cnn",
        phases=(Phase(12, 3e-3), Phase(2, 1e4, schedule="constant", optimiser="sgd")),
        ema=0.0, mixup=0.0, cutmix=0.0, dropout=0.0, augment="light",
    )  # fmt: skip
    network, progress = run(recipe, 3, Looking())
    best = min(
        progress.history, key=lambda row: row["val_loss"] if math.isfinite(row["val_loss"]) else math.inf
    )
    assert best["phase"] == 1  # such a learning rate ruins a network: what was there before is kept
    assert best["val_balanced_accuracy"] > 0.9
    choose = photos(3, 6, seed=1)
    logits = predict(network, choose, False, TrainSettings(0, 3, SPEC))
    assert (logits.argmax(1) == choose.labels).mean() > 0.9


@pytest.mark.parametrize("classes", [2, 3])
def test_the_linear_head_has_the_least_loss(classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No small step in any direction makes it smaller, and a checkpoint goes on after it."""
    monkeypatch.setattr("sorter.train.few_examples.MANY", 0)  # as with many photos
    exact = Phase(1, 0.0, "head", cached=True, optimiser="lbfgs", l2=0.1)
    recipe = replace(
        EVERYTHING, phases=(exact, Phase(1, 1e-9)), head=(), dropout=0.0, balance="none", ema=0.0
    )
    network, progress = run(replace(recipe, phases=(exact,)), classes, Looking())
    some = with_features(network, photos(classes, 11))
    assert some.features is not None
    spread = torch.from_numpy(some.features.std(0) + 1e-6).double()
    layer = network.head.logits.double()
    targets = torch.eye(classes)[torch.from_numpy(some.labels)].double()
    weight, bias = (each.detach().clone().requires_grad_() for each in (layer.weight, layer.bias))
    logits = torch.from_numpy(some.features).double() @ weight.T + bias
    loss = loss_of(logits, targets, torch.ones(classes).double(), 0)
    (loss + 0.05 * ((weight * spread) ** 2).sum()).backward()
    assert weight.grad is not None and bias.grad is not None
    assert float((weight.grad / spread).abs().max()) < 2e-3 and float(bias.grad.abs().max()) < 2e-3
    assert progress.history[0]["val_balanced_accuracy"] > 0.9
    _, gone_on = run(recipe, classes, Looking())
    assert [row["phase"] for row in gone_on.history] == [1, 2]
    assert gone_on.best_loss <= progress.best_loss


def test_patience_ends_a_phase() -> None:
    recipe = replace(
        EVERYTHING, phases=(Phase(50, 1e-12, "head", cached=True, patience=2, schedule="constant"),)
    )
    _, progress = run(recipe, 2, Looking())
    assert 3 <= len(progress.history) < 50
    assert stalled([row["val_loss"] for row in progress.history]) == 2


def test_a_time_budget_ends_training_with_what_there_is() -> None:
    network, progress = run(EVERYTHING, 2, Looking(), deadline=1e-9)
    assert progress.out_of_time
    assert len(progress.history) == 1
    assert not network.training


@pytest.mark.slow
def test_processes_that_augment_change_nothing() -> None:
    recipe = replace(EVERYTHING, phases=(Phase(1, 1e-3),))
    some = photos(2, 8)
    epochs = []
    for workers in (0, 2):
        batches = Batches(some, recipe, recipe.phases[0], 0, TrainSettings(0, 2, SPEC, workers=workers))
        torch.manual_seed(0)
        epochs.append([*batches.epoch(0), *batches.epoch(1)])
    for (inputs, targets), (others, other_targets) in zip(*epochs, strict=True):
        assert torch.equal(inputs, others)
        assert torch.equal(targets, other_targets)
    assert not torch.equal(epochs[0][0][0], epochs[0][2][0])


def test_photos_that_are_not_augmented_are_what_running_sees() -> None:
    recipe = replace(
        EVERYTHING, phases=(Phase(1, 1e-3),), augment="none", mixup=0.0, cutmix=0.0, balance="none"
    )
    some = photos(2, 4)
    batches = Batches(some, recipe, recipe.phases[0], 0, TrainSettings(0, 2, SPEC))
    seen = torch.cat([inputs for inputs, _ in batches.epoch(0)])
    places = [place for _, place in batches.order]
    np.testing.assert_allclose(seen.numpy(), SPEC.normalise(some.pixels)[places], atol=1e-6)


@pytest.mark.parametrize("level", AUGMENTATIONS)
def test_augmentation_keeps_shape_and_kind(level: str) -> None:
    torch.manual_seed(0)
    picture = torch.randint(0, 256, (3, SIZE, SIZE), dtype=torch.uint8)
    changed = [augmentation(level, SIZE)(picture) for _ in range(8)]
    assert all(each.shape == picture.shape and each.dtype == torch.uint8 for each in changed)
    assert all(torch.equal(each, picture) for each in changed) == (level == "none")


def test_losses_are_those_of_torch() -> None:
    torch.manual_seed(0)
    labels = torch.tensor([0, 2, 1, 1])
    logits = torch.randn(4, 3)
    targets = torch.nn.functional.one_hot(labels, 3).float()
    ours = loss_of(logits, targets * 0.9 + 0.1 / 3, torch.ones(3), 0)
    theirs = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
    torch.testing.assert_close(ours, theirs)
    binary = loss_of(logits[:, :1], targets[:, :2], torch.tensor([2.0, 1.0]), 1)
    weights = torch.tensor([2.0, 0.0, 1.0, 1.0])
    said = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], targets[:, 1], reduction="none")
    torch.testing.assert_close(binary, (said * weights).mean())


@pytest.mark.parametrize("k", [1, 3])
def test_validation_is_judged_as_torch_would(k: int) -> None:
    logits = np.random.default_rng(0).normal(0, 3, (20, k))
    labels = np.arange(20) % max(k, 2)
    found = validation_scores(logits, labels, positive=1)
    values, true = torch.from_numpy(logits), torch.from_numpy(labels)
    if k == 1:
        loss = torch.nn.functional.binary_cross_entropy_with_logits(values[:, 0], (true == 1).double())
        right = (logits[:, 0] > 0) == (labels == 1)
    else:
        loss = torch.nn.functional.cross_entropy(values, true)
        right = logits.argmax(1) == labels
    recalls = [right[labels == each].mean() for each in set(labels.tolist())]
    assert found == pytest.approx({"val_loss": float(loss), "val_balanced_accuracy": np.mean(recalls)})


def test_rare_classes_weigh_more_where_that_is_asked_for() -> None:
    labels = np.array([0] * 30 + [1] * 10)
    assert class_weights(labels, 2, "auto").tolist() == pytest.approx([40 / 60, 2.0])
    assert class_weights(labels, 2, "none").tolist() == [1.0, 1.0]
    assert class_weights(np.array([0, 0, 0, 1, 1]), 2, "auto").tolist() == pytest.approx([5 / 6, 5 / 4])
    assert class_weights(np.array([0] * 12 + [1] * 10), 2, "auto").tolist() == [1.0, 1.0]
    assert class_weights(np.array([0] * 12 + [1] * 10), 2, "weights").tolist() == pytest.approx(
        [22 / 24, 1.1]
    )


def test_schedules() -> None:
    cosine = Phase(1, 1.0, warmup=0.2)
    assert learning_rate(cosine, 0.0) < 0.01
    assert learning_rate(cosine, 0.2) == pytest.approx(1.0)
    assert learning_rate(cosine, 0.6) == pytest.approx(0.5)
    cycle = Phase(1, 1.0, schedule="one-cycle")
    assert [round(learning_rate(cycle, done), 4) for done in (0.0, 0.3, 1.0)] == [0.04, 1.0, 0.0]
    assert learning_rate(Phase(1, 1.0, schedule="constant"), 0.9) == 1.0
    waiting = Phase(1, 1.0, schedule="plateau", plateau_patience=2)
    assert plateau([3.0, 2.0, 2.0], waiting) == 1.0
    assert plateau([3.0, 2.0, 2.5, 2.1], waiting) == pytest.approx(0.1)
    assert plateau([3.0, 2.0, 2.5, 2.1, 1.0, 1.0, 1.0], waiting) == pytest.approx(0.01)


def test_the_mean_of_weights_follows_them() -> None:
    layer = torch.nn.Linear(2, 1)
    mean = WeightAverage(layer, 0.5)
    start = layer.weight.detach().clone()
    with torch.no_grad():
        layer.weight += 1.0
    mean.update(layer)
    moved = (mean.network.weight - start).detach()
    torch.testing.assert_close(moved, torch.full_like(moved, 1 - 2 / 11))


def test_a_last_batch_of_one_is_left_out() -> None:
    some = photos(1, 9)
    recipe = replace(EVERYTHING, phases=(Phase(1, 1e-3),), mixup=0.0, cutmix=0.0)
    batches = Batches(some, recipe, recipe.phases[0], 0, TrainSettings(0, 1, SPEC))
    assert [len(inputs) for inputs, _ in batches.epoch(0)] == [8]
    assert len(batches) == 1

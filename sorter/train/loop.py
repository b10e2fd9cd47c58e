"""The training loop. Epoch by epoch: batches, forward, loss, backward, step; then validate, keep the best, save.

All randomness of an epoch follows from (seed, phase, epoch), and every decision from the history. So a checkpoint
needs no generator's state, and training that was stopped goes on as if it never had been.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision.transforms import v2

from sorter.networks import Network
from sorter.preprocess import Preprocess
from sorter.train.augment import augmentation
from sorter.train.networks import freeze, parameter_groups, training_mode
from sorter.train.recipes import Phase, Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHECKPOINT = "checkpoint.pt"
VALIDATION_BATCH = 128


class Watch(Protocol):
    """Whoever wants to know how training goes."""

    def say(self, message: str) -> None:
        """A sentence for a person."""

    def begin(self, what: str, total: int) -> None:
        """A stretch of work of so many steps begins."""

    def advance(self, steps: int, **figures: float) -> None:
        """So many more steps are done; the latest loss and such."""

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch ended: its row of the history."""


@dataclass(frozen=True)
class Photos:
    """What the loop learns from or is measured on: rows of files that are mapped into memory.

    Attributes:
        rows: int64 (n,), of `pixels` and `features`.
        labels: int64 (n,), of the same photos.
        pixels: uint8 (m, s, s, 3).
        features: float32 (m, d), where a phase wants them cached.
    """

    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    pixels: NDArray[np.uint8]
    features: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Settings:
    """How and where to train, whatever the recipe.

    Attributes:
        positive: index of the class that a network with one logit speaks for.
        classes: how many.
        spec: mean and std for the pixels.
        seed: decides everything random.
        device: where to.
        workers: processes that augment; 0 augments between the steps.
        deadline: seconds of training after which to stop, or None.
        checkpoint: a file to go on from and to save to, or None.
        save_seconds: a checkpoint is at least so old before another epoch of the same phase replaces it.
    """

    positive: int
    classes: int
    spec: Preprocess
    seed: int = 0
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    workers: int = 0
    deadline: float | None = None
    checkpoint: Path | None = None
    save_seconds: float = 5.0


@dataclass
class Progress:
    """Where training stands: what a checkpoint holds besides the tensors of the network and the optimiser."""

    phase: int = 0
    epoch: int = 0  # the next one
    best_loss: float = math.inf
    best: dict[str, Tensor] | None = None  # the whole network's, or its head's while the backbone is cached
    history: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    waited: float = 0.0  # seconds of those that the loop waited for photos
    out_of_time: bool = False


def train(
    network: Network, recipe: Recipe, learn: Photos, choose: Photos, settings: Settings, watch: Watch
) -> Progress:
    """Train in the recipe's phases; the network ends with the weights of the epoch with the least validation loss.

    Args:
        network: as `make_network` gives it, the same again where a checkpoint is gone on from.
        learn: what to train on.
        choose: what to validate on.
    """
    network.to(settings.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    progress, saved = _read_checkpoint(settings)
    for number, phase in enumerate(recipe.phases):
        if number < progress.phase or phase.epochs == 0 or progress.out_of_time:
            continue
        scope = network.head if phase.cached else network
        if saved is not None:
            _load_into(network, saved["network"])
        if progress.best is not None and not phase.cached and progress.epoch == 0:
            progress.best = _copied(network)  # so far the head's alone: the backbone is about to change
        progress.phase = number
        freeze(network, phase.trains)
        run_phase(network, recipe, number, learn, choose, settings, watch, progress, saved)
        assert progress.best is not None
        _load_into(network, progress.best)
        progress.phase, progress.epoch, saved = number + 1, 0, None
        _save_checkpoint(settings, progress, scope, None, None)
    if progress.best is not None:
        _load_into(network, progress.best)
    network.requires_grad_(True)
    network.eval()
    return progress


def run_phase(
    network: Network,
    recipe: Recipe,
    number: int,
    learn: Photos,
    choose: Photos,
    settings: Settings,
    watch: Watch,
    progress: Progress,
    saved: dict[str, Any] | None,
) -> None:
    """One phase: a fresh optimiser, epochs until they end, the validation loss stalls, or time is up."""
    phase = recipe.phases[number]
    scope = network.head if phase.cached else network
    optimiser = make_optimiser(network, recipe, phase)
    peaks = [group["lr"] for group in optimiser.param_groups]
    mean = Mean(scope, recipe.ema) if recipe.ema and not phase.cached else None
    autocast, scaler = mixed_precision(settings.device)
    weights = class_weights(learn.labels, settings.classes, recipe.balance).to(settings.device)
    if saved is not None and progress.epoch > 0:
        optimiser.load_state_dict(saved["optimiser"])
        scaler.load_state_dict(saved["scaler"])
        if mean is not None:
            mean.load(saved["mean"])
    batches = Batches(learn, recipe, phase, number, settings)
    steps = phase.epochs * len(batches)
    watch.begin(f"phase {number + 1}, {'head' if phase.trains == 'head' else 'fine-tuning'}", steps)
    watch.advance(progress.epoch * len(batches))
    began, last_saved = time.monotonic() - progress.seconds, time.monotonic()

    while progress.epoch < phase.epochs and not progress.out_of_time:
        epoch = progress.epoch
        rows = [row for row in progress.history if row["phase"] == number + 1]
        if stalled([row["val_loss"] for row in rows]) >= phase.patience:
            break
        torch.manual_seed(seed_of(settings.seed, number, epoch))
        scale = plateau([row["val_loss"] for row in rows], phase)
        training_mode(scope)
        total, seen, asked = 0.0, 0, time.monotonic()
        for step, (inputs, targets) in enumerate(batches.epoch(epoch)):  # (b, 3, s, s) or (b, d); (b, k)
            progress.waited += time.monotonic() - asked
            for group, peak in zip(optimiser.param_groups, peaks, strict=True):
                group["lr"] = peak * scale * learning_rate(phase, (epoch * len(batches) + step) / steps)
            with autocast:
                logits = scope(inputs)  # (b, 1) or (b, k)
            loss = loss_of(logits.float(), targets, weights, settings.positive)
            optimiser.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            scaler.step(optimiser)
            scaler.update()
            if mean is not None:
                mean.update(scope)
            total, seen = total + float(loss.detach()) * len(inputs), seen + len(inputs)
            watch.advance(1, loss=total / seen)
            progress.seconds = time.monotonic() - began
            if settings.deadline is not None and progress.seconds > settings.deadline:
                progress.out_of_time = True
                break
            asked = time.monotonic()

        judged = scope if mean is None else mean.network
        logits = predict(judged, choose, phase.cached, settings, autocast)
        row = {
            "phase": number + 1,
            "epoch": len(progress.history) + 1,
            "lr": optimiser.param_groups[0]["lr"],
            "train_loss": total / max(seen, 1),
            **judge(logits, choose.labels, settings.positive),
        }
        better = row["val_loss"] < progress.best_loss or math.isnan(progress.best_loss)
        if better or progress.best is None:
            progress.best_loss = row["val_loss"]
            progress.best = _copied(judged)
        progress.epoch = epoch + 1
        progress.seconds = time.monotonic() - began
        row["seconds"] = round(progress.seconds, 3)
        progress.history.append(row)
        watch.epoch(row)
        if time.monotonic() - last_saved >= settings.save_seconds:
            _save_checkpoint(settings, progress, scope, optimiser, scaler, mean)
            last_saved = time.monotonic()


# -- batches ---------------------------------------------------------------------------------------------------


class Batches:
    """Shuffled, augmented, mixed: (inputs, targets) on the device, epoch by epoch."""

    def __init__(self, photos: Photos, recipe: Recipe, phase: Phase, number: int, settings: Settings) -> None:
        self.photos = photos
        self.recipe = recipe
        self.cached = phase.cached
        self.number = number
        self.settings = settings
        self.size = min(recipe.batch_size, len(photos.rows))
        # A last batch of one would leave batch norm without a spread.
        self.drop = len(photos.rows) % self.size == 1 and len(photos.rows) > 1
        self.order = Order(photos.labels, recipe, number, settings)
        mean, std = torch.tensor(settings.spec.mean), torch.tensor(settings.spec.std)
        self.mean = (255 * mean).view(1, 3, 1, 1).to(settings.device)
        self.std = (255 * std).view(1, 3, 1, 1).to(settings.device)
        mixes = [(v2.MixUp, recipe.mixup), (v2.CutMix, recipe.cutmix)]
        self.mixes = [kind(alpha=alpha, num_classes=settings.classes) for kind, alpha in mixes if alpha]
        self.loader: Any = None
        if not self.cached:
            workers = settings.workers
            self.loader = DataLoader(
                Augmented(photos, augmentation(recipe.augment, settings.spec.size), settings.seed, number),
                self.size,
                sampler=self.order,
                drop_last=self.drop,
                num_workers=workers,
                persistent_workers=workers > 0,
                multiprocessing_context="spawn" if workers else None,
                pin_memory=settings.device.type == "cuda",
                generator=torch.Generator().manual_seed(settings.seed),  # leaves the global one alone
            )

    def __len__(self) -> int:
        return (
            len(self.photos.rows) // self.size if self.drop else math.ceil(len(self.photos.rows) / self.size)
        )

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs: float32 (b, 3, s, s), or (b, d) from the cache; targets: float32 (b, k), summing to 1."""
        self.order.epoch = epoch
        for inputs, labels in self._features() if self.cached else self.loader:
            inputs = inputs.to(self.settings.device, non_blocking=True)
            labels = labels.to(self.settings.device, non_blocking=True)
            targets = functional.one_hot(labels, self.settings.classes).float()
            if not self.cached:
                inputs = ((inputs.float() - self.mean) / self.std).contiguous(
                    memory_format=torch.channels_last
                )
                if self.mixes:
                    mix = self.mixes[int(torch.randint(len(self.mixes), ()))]
                    inputs, targets = mix(inputs, labels)
            smoothing = self.recipe.label_smoothing
            yield inputs, targets * (1 - smoothing) + smoothing / self.settings.classes

    def _features(self) -> Iterator[tuple[Tensor, Tensor]]:
        assert self.photos.features is not None
        places = [place for _, place in self.order]
        for at in range(0, len(self) * self.size, self.size):
            some = np.array(places[at : at + self.size])
            features = torch.from_numpy(np.asarray(self.photos.features[self.photos.rows[some]]))
            yield features, torch.from_numpy(self.photos.labels[some])


class Order(Sampler[tuple[int, int]]):
    """(epoch, place) of every photo once, shuffled; or drawn so that classes come up equally often."""

    def __init__(self, labels: NDArray[np.int64], recipe: Recipe, number: int, settings: Settings) -> None:
        self.labels = labels
        self.number = number
        self.seed = settings.seed
        self.epoch = 0
        self.draw = recipe.balance == "sampling"

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        generator = torch.Generator().manual_seed(seed_of(self.seed, self.number, self.epoch, 1))
        if self.draw:
            chances = torch.from_numpy(1 / np.bincount(self.labels)[self.labels])
            places = torch.multinomial(chances, len(self), replacement=True, generator=generator)
        else:
            places = torch.randperm(len(self), generator=generator)
        return ((self.epoch, place) for place in places.tolist())


class Augmented(Dataset[tuple[Tensor, int]]):
    """Photos, changed at random: how depends on (seed, phase, epoch, place), not on which process does it."""

    def __init__(self, photos: Photos, augment: Any, seed: int, number: int) -> None:
        self.photos = photos
        self.augment = augment
        self.seed = seed
        self.number = number

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, int]:
        epoch, place = key
        pixels = torch.from_numpy(np.array(self.photos.pixels[self.photos.rows[place]]))  # (s, s, 3)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_of(self.seed, self.number, epoch, place + 2))
            return self.augment(pixels.permute(2, 0, 1)), int(self.photos.labels[place])  # (3, s, s)


def seed_of(*numbers: int) -> int:
    """One seed from several numbers: below 2 ** 63, and unlike for neighbours."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


# -- the arithmetic --------------------------------------------------------------------------------------------


def loss_of(logits: Tensor, targets: Tensor, weights: Tensor, positive: int) -> Tensor:
    """Cross entropy of soft targets, each photo weighed by its class: (b, 1) or (b, k), (b, k), (k,) -> ()."""
    each = targets @ weights  # (b,)
    if logits.shape[1] == 1:
        said = functional.binary_cross_entropy_with_logits(
            logits[:, 0], targets[:, positive], reduction="none"
        )
    else:
        said = -(targets * functional.log_softmax(logits, 1)).sum(1)
    return (said * each).mean()


def class_weights(labels: NDArray[np.int64], classes: int, balance: str) -> Tensor:
    """Inverse to the class's share, mean 1 over the photos: float32 (k,); all 1 where that is not asked for."""
    counts = np.bincount(labels, minlength=classes)
    uneven = counts.max() >= 1.5 * counts.min()
    if balance == "weights" or (balance == "auto" and uneven):
        return torch.from_numpy(len(labels) / (classes * np.maximum(counts, 1))).float()
    return torch.ones(classes)


def make_optimiser(network: Network, recipe: Recipe, phase: Phase) -> torch.optim.Optimizer:
    groups = parameter_groups(
        network, phase.lr, phase.layer_decay, recipe.weight_decay, recipe.head_weight_decay
    )
    if phase.optimiser == "sgd":
        return torch.optim.SGD(groups, momentum=0.9, nesterov=True)
    return torch.optim.Adam(groups) if phase.optimiser == "adam" else torch.optim.AdamW(groups)


def learning_rate(phase: Phase, done: float) -> float:
    """Share of the peak after so much of the phase, 0 <= done < 1.

    One-cycle: up by a cosine over the first 30 % from a 25th, down to a 10,000th of that (Smith & Topin 2018).
    """
    if phase.schedule == "one-cycle":
        if done < 0.3:
            return _between(1 / 25, 1.0, done / 0.3)
        return _between(1.0, 1 / 250_000, (done - 0.3) / 0.7)
    if done < phase.warmup:
        return (done + 1e-3) / (phase.warmup + 1e-3)
    if phase.schedule == "cosine":
        return _between(1.0, 0.0, (done - phase.warmup) / (1 - phase.warmup))
    return 1.0


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def plateau(losses: list[float], phase: Phase) -> float:
    """A tenth for every `plateau_patience` epochs in a row without a lower validation loss."""
    if phase.schedule != "plateau":
        return 1.0
    scale, waited, best = 1.0, 0, math.inf
    for loss in losses:
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == phase.plateau_patience:
            scale, waited = scale / 10, 0
    return scale


def stalled(losses: list[float]) -> int:
    """Epochs since the lowest validation loss."""
    return len(losses) - 1 - int(np.argmin(losses)) if losses else 0


def mixed_precision(device: torch.device) -> tuple[AbstractContextManager[Any], torch.amp.GradScaler]:
    """bfloat16 where the device has it, float16 on older GPUs (with scaled gradients), else float32."""
    if device.type == "cuda":
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        enabled = True
    else:
        dtype, enabled = torch.bfloat16, _cpu_has_bfloat16()
    scaler = torch.amp.GradScaler(device.type, enabled=enabled and dtype is torch.float16)
    return torch.autocast(device.type, dtype, enabled=enabled), scaler


def _cpu_has_bfloat16() -> bool:
    try:
        return "avx512_bf16" in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False


class Mean:
    """The exponential running mean of a network's weights (and batch norm statistics)."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        from copy import deepcopy

        self.network = deepcopy(network).requires_grad_(False)
        self.decay = decay
        self.updates = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        # Early on the mean is short, so that it forgets where the weights came from.
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for mine, theirs in zip(
            self.network.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)

    def state(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "updates": self.updates}

    def load(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self.updates = state["updates"]


# -- judging ---------------------------------------------------------------------------------------------------


def predict(
    scope: nn.Module,
    photos: Photos,
    cached: bool,
    settings: Settings,
    autocast: AbstractContextManager[Any] | None = None,
) -> NDArray[np.float64]:
    """Logits (n, outputs) of every photo, as it is. `scope` is the head where its inputs are cached features."""
    scope.eval()
    parts = []
    for at in range(0, len(photos.rows), VALIDATION_BATCH):
        rows = photos.rows[at : at + VALIDATION_BATCH]
        if cached:
            assert photos.features is not None
            inputs = torch.from_numpy(np.asarray(photos.features[rows]))
        else:
            inputs = torch.from_numpy(settings.spec.normalise(np.asarray(photos.pixels[rows])))
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), autocast or torch.autocast(settings.device.type, enabled=False):
            parts.append(scope(inputs.to(settings.device)).double().cpu().numpy())
    return np.concatenate(parts)


def judge(logits: NDArray[np.float64], labels: NDArray[np.int64], positive: int) -> dict[str, float]:
    """Mean negative log-likelihood and balanced accuracy at the middle threshold."""
    values = torch.from_numpy(logits)
    true = torch.from_numpy(labels)
    if values.shape[1] == 1:
        signs = torch.where(true == positive, 1.0, -1.0)
        loss = functional.softplus(-signs * values[:, 0]).mean()
        right = (values[:, 0] * signs) > 0
    else:
        loss = functional.cross_entropy(values, true)
        right = values.argmax(1) == true
    recalls = [float(right[true == label].double().mean()) for label in torch.unique(true)]
    return {"val_loss": float(loss), "val_balanced_accuracy": float(np.mean(recalls))}


# -- checkpoints -----------------------------------------------------------------------------------------------


def _load_into(network: Network, tensors: dict[str, Tensor]) -> None:
    whole = any(name.startswith("backbone.") for name in tensors)
    (network if whole else network.head).load_state_dict(tensors)


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.cpu().clone() for name, tensor in network.state_dict().items()}


def _read_checkpoint(settings: Settings) -> tuple[Progress, dict[str, Any] | None]:
    if settings.checkpoint is None or not settings.checkpoint.exists():
        return Progress(), None
    saved = torch.load(settings.checkpoint, map_location="cpu", weights_only=True)
    return Progress(**saved["progress"]), saved


def _save_checkpoint(
    settings: Settings,
    progress: Progress,
    scope: nn.Module,
    optimiser: torch.optim.Optimizer | None,
    scaler: torch.amp.GradScaler | None,
    mean: Mean | None = None,
) -> None:
    """Last and best in one file, replaced whole: they always belong together."""
    if settings.checkpoint is None:
        return
    state = {
        "progress": {**vars(progress), "out_of_time": False},
        "network": scope.state_dict(),
        "optimiser": optimiser.state_dict() if optimiser else None,
        "scaler": scaler.state_dict() if scaler else None,
        "mean": mean.state() if mean else None,
    }
    part = settings.checkpoint.with_suffix(".part")
    torch.save(state, part)
    part.replace(settings.checkpoint)

"""The training loop. Each epoch: batches, forward, loss, backward, step; then validate, keep the best, save.

All randomness of an epoch follows from (seed, phase, epoch), and every decision from the history. So a checkpoint needs
no generator's state, and resumed training ends as uninterrupted training would.
"""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from sorter.model.network import Network
from sorter.progress import Progress
from sorter.train.batches import Batches, seed_of
from sorter.train.checkpoint import TrainingState, copied, load_into, read_checkpoint, save_checkpoint
from sorter.train.layers import freeze, put_head, training_mode
from sorter.train.learner import class_weights, validation_scores
from sorter.train.linear import solve
from sorter.train.optimise import (
    WeightAverage,
    learning_rate,
    loss_of,
    make_optimiser,
    mixed_precision,
    plateau,
    stalled,
)
from sorter.train.recipes import Phase, Recipe
from sorter.train.settings import TrainSettings
from sorter.train.training_set import Subset

if TYPE_CHECKING:
    from numpy.typing import NDArray

VALIDATION_BATCH = 128


def train(
    network: Network,
    recipe: Recipe,
    training: Subset,
    validation: Subset,
    settings: TrainSettings,
    progress: Progress,
) -> TrainingState:
    """Train in the recipe's phases. The network ends with the weights of the epoch with the least validation loss.

    Args:
        network: as `make_network` gives it; the same one where training is resumed from a checkpoint.
        training: photos to train on.
        validation: photos that the best epoch is chosen on.
    """
    network.to(settings.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    state, saved = read_checkpoint(settings.checkpoint)
    for number, phase in enumerate(recipe.phases):
        if number < state.phase or phase.epochs == 0 or state.out_of_time:
            continue
        if saved is not None:
            load_into(network, saved["network"])
        if state.best is not None and not phase.cached and state.epoch == 0:
            state.best = copied(network)  # it held the head alone, and the backbone is about to change
        state.phase = number
        freeze(network, phase.trains)
        run = _Phase(network, recipe, number, training, validation, settings, progress, state)
        if phase.optimiser == "lbfgs":
            run.solve()
        else:
            run.run(saved)
        assert state.best is not None
        load_into(network, state.best)
        state.phase, state.epoch, saved = number + 1, 0, None
        save_checkpoint(settings.checkpoint, state, run.module, None, None)
    if state.best is not None:
        load_into(network, state.best)
    network.requires_grad_(True)
    network.eval()
    return state


class _Phase:
    """One phase of a recipe.

    Args:
        number: of the phase, from 0.
        state: changed in place.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        number: int,
        training: Subset,
        validation: Subset,
        settings: TrainSettings,
        progress: Progress,
        state: TrainingState,
    ) -> None:
        self.network = network
        self.recipe = recipe
        self.number = number
        self.phase: Phase = recipe.phases[number]
        self.module = network.head if self.phase.cached else network  # what is trained and validated
        self.training = training
        self.validation = validation
        self.settings = settings
        self.progress = progress
        self.state = state

    def run(self, saved: dict[str, Any] | None) -> None:
        """Train with a fresh optimiser until the epochs end, the validation loss stalls, or time is up.

        Args:
            saved: the checkpoint to resume from, or None.
        """
        phase, state, settings = self.phase, self.state, self.settings
        optimiser = make_optimiser(self.network, self.recipe, phase)
        peaks = [group["lr"] for group in optimiser.param_groups]
        average = (
            WeightAverage(self.module, self.recipe.ema) if self.recipe.ema and not phase.cached else None
        )
        autocast, scaler = mixed_precision(settings.device)
        by_class = class_weights(self.training.labels, settings.classes, self.recipe.balance)
        weights = torch.from_numpy(by_class).float().to(settings.device)
        if saved is not None and state.epoch > 0:
            optimiser.load_state_dict(saved["optimiser"])
            scaler.load_state_dict(saved["scaler"])
            if average is not None:
                average.load(saved["mean"])
        batches = Batches(self.training, self.recipe, phase, self.number, settings)
        steps = phase.epochs * len(batches)
        name = "head" if phase.trains == "head" else "fine-tuning"
        self.progress.begin(f"phase {self.number + 1}, {name}", steps)
        self.progress.advance(state.epoch * len(batches))
        began, last_saved = time.monotonic() - state.seconds, time.monotonic()

        while state.epoch < phase.epochs and not state.out_of_time:
            epoch = state.epoch
            losses = [row["val_loss"] for row in state.history if row["phase"] == self.number + 1]
            if stalled(losses) >= phase.patience:
                break
            torch.manual_seed(seed_of(settings.seed, self.number, epoch))
            scale = plateau(losses, phase)
            training_mode(self.module)
            total, seen, waiting_since = 0.0, 0, time.monotonic()
            for step, (inputs, targets) in enumerate(batches.epoch(epoch)):  # (b, 3, s, s) or (b, d); (b, k)
                state.waited += time.monotonic() - waiting_since
                for group, peak in zip(optimiser.param_groups, peaks, strict=True):
                    group["lr"] = peak * scale * learning_rate(phase, (epoch * len(batches) + step) / steps)
                with autocast:
                    logits = self.module(inputs)  # (b, 1) or (b, k)
                loss = loss_of(logits.float(), targets, weights, settings.positive)
                optimiser.zero_grad(set_to_none=True)
                scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
                scaler.step(optimiser)
                scaler.update()
                if average is not None:
                    average.update(self.module)
                total, seen = total + float(loss.detach()) * len(inputs), seen + len(inputs)
                self.progress.advance(1, loss=total / seen)
                state.seconds = time.monotonic() - began
                if settings.deadline is not None and state.seconds > settings.deadline:
                    state.out_of_time = True
                    break
                waiting_since = time.monotonic()

            row = {
                "phase": self.number + 1,
                "epoch": len(state.history) + 1,
                "lr": optimiser.param_groups[0]["lr"],
                "train_loss": total / max(seen, 1),
                **self._validate(self.module if average is None else average.network, autocast),
            }
            state.epoch = epoch + 1
            state.seconds = time.monotonic() - began
            row["seconds"] = round(state.seconds, 3)
            state.history.append(row)
            self.progress.epoch(row)
            if time.monotonic() - last_saved >= settings.save_seconds:
                save_checkpoint(settings.checkpoint, state, self.module, optimiser, scaler, average)
                last_saved = time.monotonic()

    def _validate(self, module: nn.Module, autocast: AbstractContextManager[Any]) -> dict[str, float]:
        """Score the module, and keep its weights where they are the best so far."""
        state = self.state
        logits = predict(module, self.validation, self.phase.cached, self.settings, autocast)
        scores = validation_scores(logits, self.validation.labels, self.settings.positive)
        better = scores["val_loss"] < state.best_loss or math.isnan(state.best_loss)
        if better or state.best is None:
            state.best_loss = scores["val_loss"]
            state.best = copied(module)
        return scores

    def solve(self) -> None:
        """Solve the phase at once: a linear head on cached features has an exact answer."""
        state, settings = self.state, self.settings
        self.progress.begin(f"phase {self.number + 1}, head", 1)
        outputs = self.network.last.out_features
        solved = solve(
            self.recipe,
            self.number,
            self.training,
            self.validation,
            outputs,
            settings.classes,
            settings.positive,
        )
        row = solved.row
        put_head(self.network, solved.head)
        state.out_of_fold = solved.out_of_fold
        state.best, state.best_loss = copied(self.network.head), row["val_loss"]
        state.epoch, state.seconds = 1, state.seconds + row["seconds"]
        row |= {"epoch": len(state.history) + 1, "seconds": round(state.seconds, 3)}
        state.history.append(row)
        self.progress.advance(1, loss=row["train_loss"])
        self.progress.epoch(row)


def predict(
    module: nn.Module,
    photos: Subset,
    cached: bool,
    settings: TrainSettings,
    autocast: AbstractContextManager[Any] | None = None,
) -> NDArray[np.float64]:
    """Logits (n, outputs) of n photos, without augmentation.

    Args:
        module: the network, or its head where its inputs are cached features.
        cached: the inputs are `photos.features`.
        autocast: the precision; None for float32.
    """
    module.eval()
    parts = []
    for at in range(0, len(photos), VALIDATION_BATCH):
        batch = slice(at, at + VALIDATION_BATCH)
        if cached:
            inputs = torch.from_numpy(photos.read_features(batch))
        else:
            inputs = torch.from_numpy(settings.spec.normalise(photos.read_pixels(batch)))
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), autocast or torch.autocast(settings.device.type, enabled=False):
            parts.append(module(inputs.to(settings.device)).double().cpu().numpy())
    return np.concatenate(parts)

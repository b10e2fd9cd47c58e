"""The training loop. Epoch by epoch: batches, forward, loss, backward, step; then validate, keep the best, save.

All randomness of an epoch follows from (seed, phase, epoch), and every decision from the history. So a checkpoint
needs no generator's state, and training that was stopped goes on as if it never had been.
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
from sorter.train.learner import Photos, class_weights, judge
from sorter.train.linear import solve
from sorter.train.networks import freeze, put_head, training_mode
from sorter.train.optimise import (
    Mean,
    learning_rate,
    loss_of,
    make_optimiser,
    mixed_precision,
    plateau,
    stalled,
)
from sorter.train.recipes import Recipe
from sorter.train.settings import TrainSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

VALIDATION_BATCH = 128


def train(
    network: Network,
    recipe: Recipe,
    learn: Photos,
    choose: Photos,
    settings: TrainSettings,
    progress: Progress,
) -> TrainingState:
    """Train in the recipe's phases; the network ends with the weights of the epoch with the least validation loss.

    Args:
        network: as `make_network` gives it, the same again where a checkpoint is gone on from.
        learn: what to train on.
        choose: what to validate on.
    """
    network.to(settings.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    state, saved = read_checkpoint(settings.checkpoint)
    for number, phase in enumerate(recipe.phases):
        if number < state.phase or phase.epochs == 0 or state.out_of_time:
            continue
        scope = network.head if phase.cached else network
        if saved is not None:
            load_into(network, saved["network"])
        if state.best is not None and not phase.cached and state.epoch == 0:
            state.best = copied(network)  # so far the head's alone: the backbone is about to change
        state.phase = number
        freeze(network, phase.trains)
        if phase.optimiser == "lbfgs":
            solve_phase(network, recipe, number, learn, choose, settings, progress, state)
        else:
            run_phase(network, recipe, number, learn, choose, settings, progress, state, saved)
        assert state.best is not None
        load_into(network, state.best)
        state.phase, state.epoch, saved = number + 1, 0, None
        save_checkpoint(settings.checkpoint, state, scope, None, None)
    if state.best is not None:
        load_into(network, state.best)
    network.requires_grad_(True)
    network.eval()
    return state


def run_phase(
    network: Network,
    recipe: Recipe,
    number: int,
    learn: Photos,
    choose: Photos,
    settings: TrainSettings,
    progress: Progress,
    state: TrainingState,
    saved: dict[str, Any] | None,
) -> None:
    """One phase: a fresh optimiser, epochs until they end, the validation loss stalls, or time is up."""
    phase = recipe.phases[number]
    scope = network.head if phase.cached else network
    optimiser = make_optimiser(network, recipe, phase)
    peaks = [group["lr"] for group in optimiser.param_groups]
    mean = Mean(scope, recipe.ema) if recipe.ema and not phase.cached else None
    autocast, scaler = mixed_precision(settings.device)
    shares = class_weights(learn.labels, settings.classes, recipe.balance)
    weights = torch.from_numpy(shares).float().to(settings.device)
    if saved is not None and state.epoch > 0:
        optimiser.load_state_dict(saved["optimiser"])
        scaler.load_state_dict(saved["scaler"])
        if mean is not None:
            mean.load(saved["mean"])
    batches = Batches(learn, recipe, phase, number, settings)
    steps = phase.epochs * len(batches)
    progress.begin(f"phase {number + 1}, {'head' if phase.trains == 'head' else 'fine-tuning'}", steps)
    progress.advance(state.epoch * len(batches))
    began, last_saved = time.monotonic() - state.seconds, time.monotonic()

    while state.epoch < phase.epochs and not state.out_of_time:
        epoch = state.epoch
        rows = [row for row in state.history if row["phase"] == number + 1]
        if stalled([row["val_loss"] for row in rows]) >= phase.patience:
            break
        torch.manual_seed(seed_of(settings.seed, number, epoch))
        scale = plateau([row["val_loss"] for row in rows], phase)
        training_mode(scope)
        total, seen, asked = 0.0, 0, time.monotonic()
        for step, (inputs, targets) in enumerate(batches.epoch(epoch)):  # (b, 3, s, s) or (b, d); (b, k)
            state.waited += time.monotonic() - asked
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
            progress.advance(1, loss=total / seen)
            state.seconds = time.monotonic() - began
            if settings.deadline is not None and state.seconds > settings.deadline:
                state.out_of_time = True
                break
            asked = time.monotonic()

        judged = scope if mean is None else mean.network
        logits = predict(judged, choose, phase.cached, settings, autocast)
        row = {
            "phase": number + 1,
            "epoch": len(state.history) + 1,
            "lr": optimiser.param_groups[0]["lr"],
            "train_loss": total / max(seen, 1),
            **judge(logits, choose.labels, settings.positive),
        }
        better = row["val_loss"] < state.best_loss or math.isnan(state.best_loss)
        if better or state.best is None:
            state.best_loss = row["val_loss"]
            state.best = copied(judged)
        state.epoch = epoch + 1
        state.seconds = time.monotonic() - began
        row["seconds"] = round(state.seconds, 3)
        state.history.append(row)
        progress.epoch(row)
        if time.monotonic() - last_saved >= settings.save_seconds:
            save_checkpoint(settings.checkpoint, state, scope, optimiser, scaler, mean)
            last_saved = time.monotonic()


def solve_phase(
    network: Network,
    recipe: Recipe,
    number: int,
    learn: Photos,
    choose: Photos,
    settings: TrainSettings,
    progress: Progress,
    state: TrainingState,
) -> None:
    """One phase that has an exact answer: a linear head on cached features."""
    progress.begin(f"phase {number + 1}, head", 1)
    outputs = network.last.out_features
    found, row = solve(recipe, number, learn, choose, outputs, settings.classes, settings.positive)
    put_head(network, found)
    state.best, state.best_loss = copied(network.head), row["val_loss"]
    state.epoch, state.seconds = 1, state.seconds + row["seconds"]
    row |= {"epoch": len(state.history) + 1, "seconds": round(state.seconds, 3)}
    state.history.append(row)
    progress.advance(1, loss=row["train_loss"])
    progress.epoch(row)


def predict(
    scope: nn.Module,
    photos: Photos,
    cached: bool,
    settings: TrainSettings,
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

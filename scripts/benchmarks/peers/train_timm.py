"""A peer: the loop of timm's `train.py`, which its package does not carry, with that script's defaults.

    python train_timm.py DATA WEIGHTS OUT EPOCHS SEED

DATA holds train/, val/ and test/ of class folders, WEIGHTS is a state dict of timm's tf_efficientnet_lite0. Writes
the best state dict to OUT, then measures it on test/, and ends with a line of JSON for the benchmark.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import timm
import torch
from timm.data import create_dataset, create_loader, resolve_data_config
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2
from timm.utils import random_seed
from torch import nn
from torch.nn import functional

# Not that script's 128 and its rate for training from scratch. So few photos would make one step of an epoch.
BATCH = 16
RATE = 5e-4


def main(data: Path, weights: Path, out: Path, epochs: int, seed: int) -> None:
    random_seed(seed)
    model = timm.create_model(
        "tf_efficientnet_lite0",
        pretrained=True,
        pretrained_cfg_overlay={"file": str(weights)},
        num_classes=sum(1 for _ in (data / "train").iterdir()),
    )
    config = resolve_data_config({}, model=model)
    learn, choose, judge = (
        _loader(data / part, config, part == "train") for part in ("train", "val", "test")
    )
    optimizer = create_optimizer_v2(model, opt="adamw", lr=RATE, weight_decay=0.05)
    scheduler, _ = create_scheduler_v2(
        optimizer, sched="cosine", num_epochs=epochs, updates_per_epoch=len(learn), step_on_epochs=False
    )
    best = -1.0
    updates = 0
    for _ in range(epochs):
        model.train()
        for images, labels in learn:
            loss = functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            updates += 1
            scheduler.step_update(updates)
        if (right := _accuracy(model, choose)) >= best:
            best = right
            torch.save(model.state_dict(), out)
    saved = time.time()
    model.load_state_dict(torch.load(out, weights_only=True))
    print(json.dumps({"saved": saved, "accuracy": _accuracy(model, judge), "photos": len(judge.dataset)}))


def _loader(folder: Path, config: dict[str, Any], training: bool) -> Any:
    return create_loader(
        create_dataset("", root=str(folder)),
        input_size=config["input_size"],
        batch_size=BATCH,
        is_training=training,
        interpolation="random" if training else config["interpolation"],
        mean=config["mean"],
        std=config["std"],
        crop_pct=config["crop_pct"],
        color_jitter=0.4,
        num_workers=2,
        device=torch.device("cpu"),
        persistent_workers=True,
    )


@torch.inference_mode()
def _accuracy(model: nn.Module, loader: Any) -> float:
    model.eval()
    right = [(model(images).argmax(1) == labels).float() for images, labels in loader]
    return float(torch.cat(right).mean())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), *map(int, sys.argv[4:6]))  # type: ignore[call-arg,arg-type]

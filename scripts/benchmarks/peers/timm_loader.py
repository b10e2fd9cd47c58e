"""A peer: timm's ResNet50 behind timm's own loader, as timm's `inference.py` does it.

    python timm_loader.py PHOTOS OUT

Batches of 64 from two loader processes. Writes OUT/predictions.csv, copies each photo into OUT/<label>/, and ends
with a line of JSON for the benchmark.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
import time
from pathlib import Path

import timm
import torch
from timm.data import create_dataset, create_loader, resolve_data_config

BATCH = 64


def main(photos: Path, out: Path) -> None:
    model = timm.create_model("resnet50", pretrained=False, num_classes=1).eval()
    config = resolve_data_config({}, model=model)
    dataset = create_dataset("", root=str(photos))
    loader = create_loader(
        dataset,
        input_size=config["input_size"],
        batch_size=BATCH,
        interpolation=config["interpolation"],
        mean=config["mean"],
        std=config["std"],
        crop_pct=config["crop_pct"],
        num_workers=2,
        device=torch.device("cpu"),
    )
    names = dataset.filenames(basename=True)
    for label in ("car", "not-car"):
        (out / label).mkdir(parents=True)
    rows: list[tuple[str, str, float]] = []
    ready = time.time()
    with torch.inference_mode():
        for images, _ in loader:
            for probability in torch.sigmoid(model(images)).squeeze(1).tolist():
                name = names[len(rows)]
                label = "car" if probability >= 0.5 else "not-car"
                shutil.copy2(photos / name, out / label)
                rows.append((name, label, probability))
    with (out / "predictions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "probability"), *rows])
    print(json.dumps({"ready": ready, "done": time.time()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""A peer: the loop most people write, one photo at a time through torchvision's ResNet50.

    python torch_loop.py PHOTOS OUT

Writes OUT/predictions.csv, copies each photo into OUT/<label>/, and ends with a line of JSON for the benchmark.
"""

from __future__ import annotations

import csv
import json
import shutil
import sys
import time
from pathlib import Path

import torch
from PIL import Image
from torch import nn
from torchvision import models, transforms


def main(photos: Path, out: Path) -> None:
    model = models.resnet50(weights=None)
    model.fc = nn.Linear(model.fc.in_features, 1)
    model.eval()
    preprocess = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    for label in ("car", "not-car"):
        (out / label).mkdir(parents=True)
    rows = []
    ready = time.time()
    for path in sorted(photos.iterdir()):
        image = Image.open(path).convert("RGB")
        with torch.no_grad():
            probability = torch.sigmoid(model(preprocess(image).unsqueeze(0))).item()
        label = "car" if probability >= 0.5 else "not-car"
        shutil.copy2(path, out / label)
        rows.append((path.name, label, probability))
    with (out / "predictions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "probability"), *rows])
    print(json.dumps({"ready": ready, "done": time.time()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

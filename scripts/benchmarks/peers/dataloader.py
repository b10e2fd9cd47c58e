"""A peer: a DataLoader around torchvision's ResNet50 in float32, as most people write it.

    python dataloader.py PHOTOS OUT DEVICE

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
from torch.utils.data import DataLoader, Dataset
from torchvision import models, transforms


class Photos(Dataset):
    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths
        self.preprocess = transforms.Compose(
            [
                transforms.Resize(256),
                transforms.CenterCrop(224),
                transforms.ToTensor(),
                transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, str]:
        path = self.paths[index]
        return self.preprocess(Image.open(path).convert("RGB")), str(path)


def main(photos: Path, out: Path, device: str) -> None:
    model = models.resnet50(weights=None)
    model.fc = nn.Linear(model.fc.in_features, 1)
    model = model.to(device).eval()
    for label in ("car", "not-car"):
        (out / label).mkdir(parents=True)
    loader = DataLoader(Photos(sorted(photos.iterdir())), batch_size=32, num_workers=4)
    rows = []
    ready = time.time()
    with torch.no_grad():
        for images, paths in loader:
            probabilities = torch.sigmoid(model(images.to(device))).squeeze(1).tolist()
            for path, probability in zip(paths, probabilities, strict=True):
                label = "car" if probability >= 0.5 else "not-car"
                shutil.copy2(path, out / label)
                rows.append((Path(path).name, label, probability))
    with (out / "predictions.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "probability"), *rows])
    print(json.dumps({"ready": ready, "done": time.time()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])

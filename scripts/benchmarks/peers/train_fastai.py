"""A peer: fastai's `vision_learner(...).fine_tune(EPOCHS)`, as its documentation shows it.

    python train_fastai.py DATA WEIGHTS OUT EPOCHS SEED

DATA holds train/, val/ and test/ of class folders, WEIGHTS is a state dict of timm's tf_efficientnet_lite0. Exports
the learner to OUT, then measures it on test/, and ends with a line of JSON for the benchmark.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from fastai.vision.all import (
    ImageDataLoaders,
    Resize,
    accuracy,
    aug_transforms,
    get_image_files,
    set_seed,
    vision_learner,
)

# Not its default of 64. So few photos would make two steps of an epoch, and many more epochs would be needed.
BATCH = 16


def main(data: Path, weights: Path, out: Path, epochs: int, seed: int) -> None:
    set_seed(seed)
    loaders = ImageDataLoaders.from_folder(
        data,
        train="train",
        valid="val",
        bs=BATCH,
        seed=seed,
        item_tfms=Resize(224),
        batch_tfms=aug_transforms(),
    )
    learner = vision_learner(
        loaders, "tf_efficientnet_lite0", metrics=accuracy, pretrained_cfg_overlay={"file": str(weights)}
    )
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(epochs)
        learner.export(out)
        saved = time.time()
        held_out = loaders.test_dl(get_image_files(data / "test"), with_labels=True)
        _, right = learner.validate(dl=held_out)
    print(json.dumps({"saved": saved, "accuracy": float(right), "photos": held_out.n}))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]), *map(int, sys.argv[4:6]))  # type: ignore[call-arg,arg-type]

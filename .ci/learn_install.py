"""Prove that a head is learned without torch, with the light install's own Python and the `[learn]` extra."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import util
from pathlib import Path

import numpy as np
from PIL import Image

EACH = 12


def draw(path: Path, cast: tuple[float, float, float], seed: int) -> None:
    """Blurred spots, each picture's own, with a cast."""
    spots = np.random.default_rng(seed).integers(0, 256, (9, 12, 3)) * cast
    Image.fromarray(spots.astype(np.uint8)).resize((320, 240), Image.Resampling.BICUBIC).save(path)


def main() -> None:
    assert util.find_spec("torch") is None, "the [learn] extra brought torch"
    for at, (name, cast) in enumerate((("warm", (1.0, 0.6, 0.3)), ("cold", (0.3, 0.6, 1.0)))):
        folder = Path("examples") / name
        folder.mkdir(parents=True)
        for number in range(EACH):
            draw(folder / f"{number}.jpg", cast, 100 * at + number)
    sorter = str(Path(sys.executable).with_name("sorter"))
    command = [sorter, "train", "examples", "--out", "learned", "--recipe", "fast", "--json"]
    told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=300).stdout)
    assert told["accuracy"]["value"] == 1.0, told
    run = [sorter, "run", "examples", "--out", "by-learned", "--model", "learned"]
    subprocess.run(run, check=True, timeout=300)
    missing = subprocess.run([*command[:3], "--out", "other"], capture_output=True, text=True, timeout=60)
    assert missing.returncode == 1 and 'pip install "sorter-photos[train]"' in missing.stderr, missing
    print(f"wheel: a head was learned from {2 * EACH} photos without torch")


if __name__ == "__main__":
    main()

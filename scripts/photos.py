"""Photo-like JPEGs for benchmarks and tests, made from a seed without any download.

Decoding time depends on how many bits a picture has. So the pictures imitate what fills a camera's files:
fractal texture (amplitude falls with frequency, as in photographs), smooth and detailed regions, sharp-edged
shapes, gradients, and sensor noise. A few originals are rendered. Each file is a crop of one, perhaps mirrored,
with a brightness and a quality of its own.

Example:
    python scripts/photos.py ./photos --size small -n 100
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageDraw

VERSION = 1  # of the recipe. A set made by another version is made again.
MARGIN = 1.1  # originals are this much larger than the crops taken from them
QUALITIES = (88, 90, 92)


@dataclass(frozen=True)
class Kind:
    """A size of photo.

    Attributes:
        name: `small` or `large`.
        width: pixels.
        height: pixels.
        originals: how many different pictures are rendered.
        grain: least and most sensor noise, standard deviation in grey levels.
        least: bytes that a file has at least.
        most: bytes that a file has at most.
    """

    name: str
    width: int
    height: int
    originals: int
    grain: tuple[float, float]
    least: int
    most: int

    def __str__(self) -> str:
        return f"{self.megapixels:.1f} MP".replace(".0 ", " ")

    @property
    def megapixels(self) -> float:
        return self.width * self.height / 1e6

    @property
    def recipe(self) -> str:
        return (
            f"{self.width} x {self.height} JPEG, quality {QUALITIES[0]}-{QUALITIES[-1]}, 4:2:0; {self.originals} "
            "seeded originals (fractal texture, shapes, gradients, sensor noise) varied by crop, mirroring, "
            "brightness and quality"
        )


SMALL = Kind("small", 500, 375, 48, (3.6, 4.6), 40_000, 80_000)
LARGE = Kind("large", 4000, 3000, 12, (6.4, 6.9), 3_000_000, 5_000_000)
KINDS = {kind.name: kind for kind in (SMALL, LARGE)}


def make_set(folder: Path, kind: Kind, n: int, seed: int = 0) -> list[Path]:
    """Fill `folder` with `n` photos, `photo-00000.jpg` and on. A complete set that is there already is kept.

    A photo depends on `seed` and its number alone, not on `n`.

    Raises:
        ValueError: a file is not of the size that `kind` promises.
    """
    stamp = folder.with_name(f"{folder.name}.json")
    wanted = json.dumps({"version": VERSION, "pillow": PIL.__version__, "seed": seed, "n": n, **asdict(kind)})
    paths = [folder / f"photo-{index:05}.jpg" for index in range(n)]
    if stamp.exists() and stamp.read_text() == wanted and all(path.exists() for path in paths):
        return paths
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as threads:
        firsts = range(min(n, kind.originals))
        list(threads.map(lambda first: _write_variants(paths, kind, first, seed), firsts))
    stamp.write_text(wanted)
    return paths


def link_set(folder: Path, sources: list[Path], n: int) -> list[Path]:
    """Fill `folder` with `n` names for the files of `sources`, each used as often as needed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    paths = [folder / f"photo-{index:05}.jpg" for index in range(n)]
    for index, path in enumerate(paths):
        path.hardlink_to(sources[index % len(sources)])
    return paths


def _write_variants(paths: list[Path], kind: Kind, first: int, seed: int) -> None:
    original = render(np.random.default_rng([seed, kind.width, first]), kind)
    for index in range(first, len(paths), kind.originals):
        rng = np.random.default_rng([seed, kind.width, first, index])
        left = int(rng.integers(original.width - kind.width + 1))
        top = int(rng.integers(original.height - kind.height + 1))
        picture = original.crop((left, top, left + kind.width, top + kind.height))
        if rng.random() < 0.5:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        gain = rng.uniform(0.92, 1.05)
        picture = picture.point([min(255, round(value * gain)) for value in range(256)] * 3)
        picture.save(paths[index], quality=int(rng.choice(QUALITIES)))
        size = paths[index].stat().st_size
        if not kind.least <= size <= kind.most:
            raise ValueError(f"{paths[index]}: {size} bytes, not {kind.least} to {kind.most}. Change `grain`")


def render(rng: np.random.Generator, kind: Kind) -> Image.Image:
    """One original, `MARGIN` times as wide and as high as the photos."""
    size = (round(kind.width * MARGIN), round(kind.height * MARGIN))
    light = _fractal(rng, size, rng.uniform(*kind.grain))
    pixels = np.asarray(_shapes(rng, size), np.float32)
    tint = rng.standard_normal((6, 8, 3), dtype=np.float32) * 10
    for channel in range(3):
        pixels[..., channel] += light + _enlarge(tint[..., channel], size)
    return Image.fromarray(np.clip(pixels, 0, 255, out=pixels).astype(np.uint8))


def _fractal(rng: np.random.Generator, size: tuple[int, int], grain: float) -> NDArray[np.float32]:
    """Texture on every scale, from a third of the picture down to `grain`, the noise of single pixels.

    Finer scales are fainter, as in photographs. Some regions (foliage) have strong fine scales, others (sky) weak ones.
    """
    octaves = int(np.log2(size[0] / 3))
    light = np.zeros((2, 2), np.float32)
    detail = np.clip(0.9 + 0.7 * rng.standard_normal((4, 5), dtype=np.float32), 0.3, 1.6)
    for octave in range(octaves, -1, -1):
        level = (-(-size[0] // 2**octave), -(-size[1] // 2**octave))
        noise = rng.standard_normal(level[::-1], dtype=np.float32)
        if octave:
            noise *= min(3.4 * 2 ** (0.4 * octave), 14)
            if octave < 5:
                noise *= _enlarge(detail, level)
        else:
            noise *= grain
        light = noise + _enlarge(light, level)
    return light


def _enlarge(grid: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """float32 (h, w) -> float32 (height, width) of `size`, smoothly."""
    return np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC))


def _shapes(rng: np.random.Generator, size: tuple[int, int], count: int = 30) -> Image.Image:
    """A sloping background with overlapping flat ellipses and polygons."""
    colours = rng.integers(70, 190, (2, 2, 3)).astype(np.uint8)
    image = Image.fromarray(colours).resize(size, Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    for _ in range(count):
        x, y = rng.uniform(0, size[0]), rng.uniform(0, size[1])
        w, h = rng.uniform(0.02, 0.2, 2) * size[0]
        colour = tuple(int(value) for value in rng.integers(60, 200, 3))
        if rng.random() < 0.5:
            draw.ellipse((x - w / 2, y - h / 2, x + w / 2, y + h / 2), fill=colour)
        else:
            corners = rng.uniform(-0.5, 0.5, (int(rng.integers(3, 6)), 2)) * (w, h) + (x, y)
            draw.polygon([(float(cx), float(cy)) for cx, cy in corners], fill=colour)
    return image


def main() -> None:
    assert __doc__
    about, _, example = __doc__.partition("Example:")
    parser = argparse.ArgumentParser(
        description=about, epilog=f"Example:{example}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="where to; its files are replaced")
    parser.add_argument("--size", choices=list(KINDS), default="small", help="0.2 or 12 megapixels (small)")
    parser.add_argument("-n", type=int, default=100, help="how many (100)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    paths = make_set(arguments.folder, KINDS[arguments.size], arguments.n, arguments.seed)
    total = sum(path.stat().st_size for path in paths)
    recipe = KINDS[arguments.size].recipe
    print(f"{len(paths)} photos, {total / len(paths) / 1e3:.0f} kB on average: {recipe}")


if __name__ == "__main__":
    main()

"""Which copies `sorter clean` calls near duplicates, and which other pictures.

Copies: photos beside one copy of each, saved again, resized, edited, cropped, mirrored or turned. All should be near
duplicates.
Objects: photos beside a copy with a piece of another photo in it. None should be a near duplicate.
Frames: folders of frames of a film or of a fixed camera, as they are.
Every figure comes from whole processes of `sorter clean`.
"""

from __future__ import annotations

import argparse
import csv
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from benchmarks.flags import add_count
from benchmarks.harness import Benchmark, Report, say
from benchmarks.process import BenchmarkError, empty_cache, sorter_command, timed

EXAMPLES = """examples:
  python scripts/benchmark.py likeness --from photos --frames crossing --frames hall
"""
LEAST_SIDE = 160  # pixels of a photo that copies are made of
QUALITY = 85
Edit = Callable[[Image.Image, random.Random], tuple[Image.Image, int]]  # -> the copy, and its JPEG quality


@dataclass(frozen=True)
class Found:
    """The verdicts on one kind of copy, or on the frames of one folder."""

    kind: str
    n: int
    near: int
    similar: int


@dataclass(frozen=True)
class Figures:
    """All measurements."""

    copies: list[Found]
    objects: list[Found]
    frames: list[Found]


def add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from", dest="photos", type=Path, required=True, metavar="DIR", help="photos to make copies of"
    )
    parser.add_argument(
        "--frames", type=Path, action="append", default=[], metavar="DIR", help="frames; may be given again"
    )
    add_count(parser, "--count", 60, "photos")
    add_count(parser, "--seed", 0, "of the choice and of the edits", least=0)


def measure(arguments: argparse.Namespace, work: Path) -> Report:
    rng = random.Random(arguments.seed)
    photos = choose(arguments.photos, arguments.count, rng)
    copies = [compare(kind, edit, photos, work, rng) for kind, edit in EDITS.items()]
    pieces = [
        compare(f"{share:.0%} of the picture", paste_from(photos, share), photos, work, rng)
        for share in (0.01, 0.02, 0.03)
    ]
    figures = Figures(copies, pieces, [look_at_frames(folder, work) for folder in arguments.frames])
    return Report(asdict(figures), markdown(figures))


BENCHMARK = Benchmark(
    name="likeness",
    about="which copies are called near duplicates, and which other pictures",
    description=__doc__ or "",
    examples=EXAMPLES,
    add_flags=add_flags,
    measure=measure,
)


# -- copies ----------------------------------------------------------------------------------------------------


def saved_again(image: Image.Image, rng: random.Random) -> tuple[Image.Image, int]:
    return image, rng.choice((50, 60, 75, 95))


def resized(image: Image.Image, rng: random.Random) -> tuple[Image.Image, int]:
    factor = rng.uniform(0.5, 2)
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS), 80


def brightness(image: Image.Image, rng: random.Random) -> tuple[Image.Image, int]:
    return ImageEnhance.Brightness(image).enhance(rng.choice((0.85, 1.15))), QUALITY


def contrast(image: Image.Image, rng: random.Random) -> tuple[Image.Image, int]:
    return ImageEnhance.Contrast(image).enhance(rng.choice((0.85, 1.15))), QUALITY


def sharpened(image: Image.Image, rng: random.Random) -> tuple[Image.Image, int]:
    return image.filter(ImageFilter.UnsharpMask(2, 100, 3)), QUALITY


def blurred(image: Image.Image, rng: random.Random) -> tuple[Image.Image, int]:
    return image.filter(ImageFilter.GaussianBlur(1)), QUALITY


def cropped(image: Image.Image, rng: random.Random) -> tuple[Image.Image, int]:
    """Up to 5 % of the width and of the height: from one side, or from all."""
    across, down = rng.uniform(0, 0.05) * image.width, rng.uniform(0, 0.05) * image.height
    left, top = rng.random() * across, rng.random() * down
    return image.crop(
        (round(left), round(top), round(image.width - across + left), round(image.height - down + top))
    ), 85


def mirrored(image: Image.Image, rng: random.Random) -> tuple[Image.Image, int]:
    return ImageOps.mirror(image), QUALITY


def turned(image: Image.Image, rng: random.Random) -> tuple[Image.Image, int]:
    return image.transpose(Image.Transpose.ROTATE_90), QUALITY


def small_and_brighter(image: Image.Image, rng: random.Random) -> tuple[Image.Image, int]:
    size = (round(image.width * 0.6), round(image.height * 0.6))
    return ImageEnhance.Brightness(image.resize(size, Image.Resampling.LANCZOS)).enhance(1.1), 60


EDITS: dict[str, Edit] = {
    "saved again, quality 50 to 95": saved_again,
    "resized, 0.5 to 2 times": resized,
    "brightness 15 % less or more": brightness,
    "contrast 15 % less or more": contrast,
    "sharpened": sharpened,
    "blurred": blurred,
    "cropped by up to 5 %": cropped,
    "mirrored": mirrored,
    "turned by 90 degrees": turned,
    "0.6 times, 10 % brighter, quality 60": small_and_brighter,
}


def paste_from(photos: list[Image.Image], share: float) -> Edit:
    """A piece of another photo, of this share of the picture, as a rectangle or an ellipse."""

    def paste(image: Image.Image, rng: random.Random) -> tuple[Image.Image, int]:
        other = rng.choice([each for each in photos if each is not image])
        side, narrow = (share * image.width * image.height) ** 0.5, rng.uniform(0.5, 1)
        width = min(round(side * narrow), image.width - 2, other.width - 2)
        height = min(round(side / narrow), image.height - 2, other.height - 2)
        left, top = rng.randrange(other.width - width), rng.randrange(other.height - height)
        mask = Image.new("L", (width, height), rng.choice((0, 255)))
        ImageDraw.Draw(mask).ellipse((0, 0, width - 1, height - 1), fill=255)
        at = (rng.randrange(image.width - width), rng.randrange(image.height - height))
        changed = image.copy()
        changed.paste(other.crop((left, top, left + width, top + height)), at, mask)
        return changed, QUALITY

    return paste


# -- measuring -------------------------------------------------------------------------------------------------


def choose(folder: Path, count: int, rng: random.Random) -> list[Image.Image]:
    """Photos of a folder. Raises BenchmarkError: there are too few."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    rng.shuffle(paths)
    photos: list[Image.Image] = []
    for path in paths:
        with Image.open(path) as image:
            if min(image.size) >= LEAST_SIDE and len(photos) < count:
                photos.append(ImageOps.exif_transpose(image).convert("RGB"))
    if len(photos) < max(count, 2):
        raise BenchmarkError(f"{folder}: has {len(photos)} photos of {LEAST_SIDE} pixels, {count} are needed")
    return photos


def compare(kind: str, edit: Edit, photos: list[Image.Image], work: Path, rng: random.Random) -> Found:
    """Make a copy of each photo, and count the pairs by their verdict."""
    folder = work / "pairs"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number, photo in enumerate(photos):
        photo.save(folder / f"{number}-original.jpg", quality=95)
        copy, quality = edit(photo, rng)
        copy.save(folder / f"{number}-copy.jpg", quality=quality)
    verdicts: Counter[str] = Counter()
    for row in rows_of(folder):
        kept = Path(row["duplicate_of"]).name.partition("-")[0]
        if kept == Path(row["path"]).name.partition("-")[0]:
            verdicts[row["verdict"]] += 1
    found = Found(kind, len(photos), verdicts["near-duplicate"] + verdicts["duplicate"], verdicts["similar"])
    say(f"{kind}: {found.near} of {found.n} near duplicates, {found.similar} similar")
    return found


def look_at_frames(folder: Path, work: Path) -> Found:
    verdicts = Counter(row["verdict"] for row in rows_of(folder))
    return Found(folder.name, sum(verdicts.values()), verdicts["near-duplicate"], verdicts["similar"])


def rows_of(folder: Path) -> list[dict[str, str]]:
    """The report of `sorter clean`, which removes nothing."""
    with empty_cache() as out:
        report = out / "clean.csv"
        timed(
            [*sorter_command(), "clean", folder, "--remove", "none", "--quiet", "--json", "--report", report]
        )
        with report.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def markdown(figures: Figures) -> str:
    parts = (
        ("copies", figures.copies),
        ("with an object of another photo", figures.objects),
        ("frames", figures.frames),
    )
    lines: list[str] = []
    for title, found in parts:
        if found:
            lines += [f"| {title} | n | near duplicates | similar |", "| :-- | --: | --: | --: |"]
            lines += [f"| {each.kind} | {each.n} | {each.near} | {each.similar} |" for each in found]
            if len(found) > 1:
                total = [sum(getattr(each, name) for each in found) for name in ("n", "near", "similar")]
                lines.append("| **all** | " + " | ".join(map(str, total)) + " |")
            lines.append("")
    return "\n".join(lines)

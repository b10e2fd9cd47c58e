"""The README's screenshots: drawn photos, a model trained on a few of them, and the real window doing its work.

Nothing in them is arranged but the photos: they are sorted, corrected, learned from and cleaned as a user would do it.
The window is drawn without a screen, so that the pictures are the same everywhere that has the same fonts.

Example:
    python scripts/screenshots.py
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
SIZE = (640, 480)  # of a photo, pixels
SCENES = ("forest", "sea", "sunset")
WINDOW = (1200, 780)
PATIENCE = 900.0  # seconds that anything may take


# -- photos ----------------------------------------------------------------------------------------------------


def draw(scene: str, seed: int, dusk: float = 0.0) -> Image.Image:
    """A scene that a child could have drawn, on noise like a camera's.

    Args:
        dusk: how much of a sunset's light falls on it, 0 to 1.
    """
    random = np.random.default_rng([SCENES.index(scene), seed])
    width, height = SIZE
    day = np.array([(120, 175, 225), (205, 225, 240)], float)
    evening = np.array([(70, 40, 110), (250, 140, 60)], float)
    light = 1.0 if scene == "sunset" else dusk
    top, bottom = day * (1 - light) + evening * light + random.normal(0, 10, (2, 3))
    rise = np.linspace(0, 1, height)[:, None, None]
    pixels = (
        np.broadcast_to(top * (1 - rise) + bottom * rise, (height, width, 3)).clip(0, 255).astype(np.uint8)
    )
    image = Image.fromarray(pixels.copy())
    brush = ImageDraw.Draw(image)
    horizon = int(height * random.uniform(0.45, 0.65))
    if light > 0.5:
        x, y, r = random.uniform(80, width - 80), horizon - random.uniform(0, 90), random.uniform(28, 48)
        brush.ellipse((x - r, y - r, x + r, y + r), fill=(255, 225, 150))
    _hills(brush, random, horizon, (35, 30, 45) if light > 0.5 else (110, 140, 120))
    if scene == "forest":
        _trees(brush, random, horizon, 1 - 0.6 * light)
    elif scene == "sea":
        _waves(brush, random, horizon, light)
    noise = random.normal(0, 5, (height, width, 1))
    return Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))


def _hills(
    brush: ImageDraw.ImageDraw, random: np.random.Generator, horizon: int, colour: tuple[int, int, int]
) -> None:
    width, height = SIZE
    x = np.arange(0, width + 1, 8)
    y = horizon + sum(
        random.uniform(4, 26) * np.sin(x / random.uniform(40, 160) + random.uniform(0, 6)) for _ in range(3)
    )
    line = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    brush.polygon([(0, height), *line, (width, height)], fill=colour)


def _trees(brush: ImageDraw.ImageDraw, random: np.random.Generator, horizon: int, light: float) -> None:
    width, height = SIZE
    for y in np.sort(random.uniform(horizon - 10, height + 40, 90)):
        x, h = random.uniform(-20, width + 20), random.uniform(60, 130) * (0.5 + y / height)
        green = tuple(int(c * light * random.uniform(0.7, 1.1)) for c in (45, 110, 50))
        for part in (1.0, 0.75, 0.5):
            w = h * 0.28 * part
            brush.polygon([(x - w, y - h * (1 - part)), (x + w, y - h * (1 - part)), (x, y - h)], fill=green)


def _waves(brush: ImageDraw.ImageDraw, random: np.random.Generator, horizon: int, light: float) -> None:
    width, height = SIZE
    deep = np.array((30, 90, 140)) * (1 - light) + np.array((70, 50, 90)) * light
    brush.rectangle((0, horizon, width, height), fill=tuple(int(c) for c in deep))
    for y in range(horizon + 6, height, 12):
        x = np.arange(0, width + 1, 10)
        wave = y + 3 * np.sin(x / random.uniform(14, 40) + random.uniform(0, 6))
        tint = tuple(int(c + random.uniform(15, 60)) for c in deep)
        brush.line([(float(a), float(b)) for a, b in zip(x, wave, strict=True)], fill=tint, width=2)
    x, y = random.uniform(80, width - 80), horizon + random.uniform(20, 90)
    brush.polygon([(x, y - 60), (x, y), (x + 34, y)], fill=(240, 240, 235))
    brush.polygon([(x - 30, y + 4), (x + 40, y + 4), (x + 26, y + 16), (x - 18, y + 16)], fill=(90, 50, 40))


def make_examples(folder: Path, each: int) -> None:
    """Class folders to learn from: scenes in plain daylight, and sunsets."""
    for scene in SCENES:
        (folder / scene).mkdir(parents=True)
        for number in range(each):
            draw(scene, number).save(folder / scene / f"{number}.jpg", quality=88)


def make_photos(folder: Path, each: int) -> dict[str, str]:
    """Photos to sort, every third of forest and sea in the evening. Returns name -> what a person says it is.

    Nothing that the model is taught by has a sunset with trees or water in it.
    """
    folder.mkdir(parents=True)
    shows = {}
    for number in range(each):
        for place, scene in enumerate(SCENES):
            evening = scene != "sunset" and number % 3 == 0
            name = f"IMG_{2000 + number * len(SCENES) + place}.jpg"
            draw(scene, 1000 + number, 0.85 if evening else 0.0).save(folder / name, quality=90)
            shows[name] = "sunset" if evening else scene
    return shows


def make_faults(folder: Path) -> None:
    """What gathers in a folder: copies, smaller versions, files that were cut off."""
    names = sorted(folder.iterdir())
    (folder / "old phone").mkdir()
    for path in names[:4]:
        shutil.copy(path, folder / "old phone" / path.name)
    for path in names[6:9]:
        with Image.open(path) as image:
            image.resize((320, 240)).save(path.with_name(f"{path.stem}-small.jpg"), quality=70)
    for path in names[10:12]:
        path.with_name(f"{path.stem}-download.jpg").write_bytes(path.read_bytes()[:9000])


# -- the window ------------------------------------------------------------------------------------------------


def main() -> None:
    assert __doc__
    about, _, example = __doc__.partition("Example:")
    parser = argparse.ArgumentParser(
        description=about, epilog=f"Example:{example}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "out", type=Path, nargs="?", default=IMAGES, help="where the pictures go (default: docs/images)"
    )
    parser.add_argument(
        "--home", type=Path, help="an empty folder to work in, whose name can be read in the pictures"
    )
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.home is not None:
        take(arguments.out.resolve(), arguments.home.resolve())
        return
    with tempfile.TemporaryDirectory(prefix="sorter-") as home:
        take(arguments.out.resolve(), Path(home))


def take(out: Path, home: Path) -> None:
    """Make the photos and the model below `home`, drive the window, save what it shows."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.update(HOME=str(home), XDG_CACHE_HOME=str(home / ".cache"))
    from sorter.progress import NoProgress
    from sorter.train.fit import train_model
    from sorter.train.options import TrainOptions

    make_examples(home / "examples", 12)
    shows = make_photos(home / "Pictures", 30)
    train_model(TrainOptions(home / "examples", home / "scenes", recipe="fast"), NoProgress())

    from PySide6.QtWidgets import QApplication

    app = QApplication([])
    app.setStyle("Fusion")
    _drive(app, out, home, shows)


def _drive(app: object, out: Path, home: Path, shows: dict[str, str]) -> None:
    from PySide6.QtWidgets import QApplication

    from sorter.gui.settings import Settings
    from sorter.gui.window import Window

    assert isinstance(app, QApplication)
    window = Window(Settings(home / "settings.ini"))
    window.resize(*WINDOW)
    window.show()
    start, review, retrain, clean = (
        window.start_page,
        window.review_page,
        window.retrain_page,
        window.clean_page,
    )
    window.show_page(start)

    def save(name: str, moments: int = 100) -> None:
        for _ in range(moments):  # thumbnails come, and layouts find their place
            app.processEvents()
            time.sleep(0.01)
        data = BytesIO()
        window.grab().save(str(out / f"{name}.png"))
        with Image.open(
            out / f"{name}.png"
        ) as image:  # a palette is enough for a window, and a third of the size
            image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(data, "PNG", optimize=True)
        (out / f"{name}.png").write_bytes(data.getvalue())
        print(f"{out / name}.png: {len(data.getvalue()) / 1e3:.0f} kB")

    def until(condition: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise SystemExit("waited in vain; the window shows: " + start.notice.text.text())
            app.processEvents()
            time.sleep(0.01)

    start.use_model(home / "scenes")
    start.take(home / "Pictures")
    start.sort()
    until(lambda: start.progress.bar.value() > 10 or not start.busy)
    save("start", moments=1)  # it is at work, and does not wait
    until(lambda: not start.busy)
    until(lambda: review.review is not None)
    save("review")
    marked = review.review
    assert marked is not None
    for scene in SCENES:
        marked.assign(
            [each.id for each in marked.photos() if each.label != scene and shows[each.path.name] == scene],
            scene,
        )
        # They also confirm some: a model learns from both.
        marked.confirm([each.id for each in marked.photos() if each.label == scene][:10])
    review.open(home / "Pictures-sorted")
    until(lambda: review.review is not None and review.review is not marked)
    app.setPalette(_dark())
    save("review-dark")
    app.setPalette(app.style().standardPalette())

    window.show_page(retrain)
    retrain.open(home / "Pictures-sorted")
    until(lambda: "photos you checked" in retrain.about.text())
    retrain.train()
    until(lambda: not retrain.busy)
    save("retrain")

    make_faults(home / "Pictures")
    window.show_page(clean)
    clean.folder.setText(str(home / "Pictures"))
    clean.search()
    until(lambda: not clean.busy)
    alike = [row for row in range(clean.list.count()) if "similar" in clean.list.item(row).text()]
    clean.list.setCurrentRow(alike[0])
    save("clean")
    window.close()


def _dark() -> object:
    from PySide6.QtGui import QColor, QPalette

    role, palette = QPalette.ColorRole, QPalette()
    for names, colour in (
        ((role.Window,), "#2d2d2d"),
        ((role.Base,), "#1e1e1e"),
        ((role.AlternateBase,), "#262626"),
        ((role.Button, role.ToolTipBase), "#3a3a3a"),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), "#f0f0f0"),
        ((role.PlaceholderText,), "#9a9a9a"),
        ((role.Highlight,), "#308cc6"),
        ((role.HighlightedText,), "#ffffff"),
    ):
        for each in names:
            palette.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, QColor("#808080"))
    return palette


if __name__ == "__main__":
    main()

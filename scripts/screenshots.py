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

from PIL import Image

from sorter.gui.parts.samples import SCENES, draw

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
WINDOW = (1280, 720)
PATIENCE = 900.0  # seconds that anything may take


# -- photos ----------------------------------------------------------------------------------------------------


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
    parser.add_argument(
        "--size", type=int, nargs=2, default=WINDOW, metavar=("WIDTH", "HEIGHT"), help="of the window, pixels"
    )
    arguments = parser.parse_args()
    size = (arguments.size[0], arguments.size[1])
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.home is not None:
        take(arguments.out.resolve(), arguments.home.resolve(), size)
        return
    with tempfile.TemporaryDirectory(prefix="sorter-") as home:
        take(arguments.out.resolve(), Path(home), size)


def take(out: Path, home: Path, size: tuple[int, int] = WINDOW) -> None:
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
    _drive(app, out, home, shows, size)


def _drive(app: object, out: Path, home: Path, shows: dict[str, str], size: tuple[int, int]) -> None:
    from PySide6.QtWidgets import QApplication

    from sorter.gui.parts.theme import Theme
    from sorter.gui.settings import Settings
    from sorter.gui.window import Window

    assert isinstance(app, QApplication)
    window = Window(Settings(home / "settings.ini"))
    window.appearance.choose(Theme.LIGHT)
    window.resize(*size)
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
        with Image.open(out / f"{name}.png") as image:  # no palette: it would lose the colours of the classes
            image.convert("RGB").save(data, "PNG", optimize=True)
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
    window.appearance.choose(Theme.DARK)
    save("review-dark")
    review.stack.show_single()
    save("single")
    review.stack.show_grid()
    window.appearance.choose(Theme.LIGHT)

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


if __name__ == "__main__":
    main()

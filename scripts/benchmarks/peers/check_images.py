"""Peers of `sorter clean`: what people run over a folder to find broken and similar photos.

    python check_images.py TOOL FOLDER [--one-by-one]

It ends with a line of JSON for the benchmark. `refused` names the files (below FOLDER) that the tool cannot read or
passed over. `ready` and `done` are seconds since the epoch. `processor` is the seconds that all its processes took in
between. With --one-by-one a tool that stops at the first damaged file is started again for each file. That is for
detection, not for timing.
"""

from __future__ import annotations

import fnmatch
import json
import logging
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

Refused = Iterable[Path]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def verify(folder: Path, one_by_one: bool) -> Iterator[Refused]:
    """The loop of many forum answers. It reads structure, not pixels."""
    _with_heif()
    yield ()
    yield [path for path in files(folder) if _fails(path, "verify")]


def load(folder: Path, one_by_one: bool) -> Iterator[Refused]:
    """The loop of those who know that `verify` does not read the pixels of a JPEG."""
    _with_heif()
    yield ()
    yield list(filter(_unloadable, files(folder)))


def load_pool(folder: Path, one_by_one: bool) -> Iterator[Refused]:
    """The same on all cores."""
    yield ()
    with multiprocessing.Pool(len(os.sched_getaffinity(0)), _with_heif) as pool:
        found = files(folder)
        refused = [path for path, bad in zip(found, pool.imap(_unloadable, found, 4), strict=True) if bad]
        pool.close()
        pool.join()  # only then does their processor time count
    yield refused


def _with_heif() -> None:
    """A plug-in of one line reads HEIC, so Pillow gets it."""
    import pillow_heif

    pillow_heif.register_heif_opener()


def _unloadable(path: Path) -> bool:
    return _fails(path, "load")


def _fails(path: Path, method: str) -> bool:
    """Pillow raises an error in `verify` or `load` of a file."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            getattr(image, method)()
    except Exception:
        return True
    return False


def cleanvision(folder: Path, one_by_one: bool) -> Iterator[Refused]:
    """Every issue that it looks for by default. A file that it cannot read ends it with an exception."""
    from cleanvision import Imagelab
    from cleanvision.utils.constants import IMAGE_FILE_EXTENSIONS

    yield ()
    if not one_by_one:
        Imagelab(data_path=str(folder), verbose=False).find_issues(verbose=False)
        yield ()
    refused = []
    for path in files(folder):
        try:
            if not any(fnmatch.fnmatchcase(path.name, pattern) for pattern in IMAGE_FILE_EXTENSIONS):
                raise ValueError("is not looked at in a folder")
            Imagelab(filepaths=[str(path)], verbose=False).find_issues(n_jobs=1, verbose=False)
        except Exception:
            refused.append(path)
    yield refused


def imagededup(folder: Path, one_by_one: bool) -> Iterator[Refused]:
    """Perceptual hashes of all files, and the near ones of each. A file that it cannot read has no hash."""
    from imagededup.methods import PHash

    logging.disable(logging.WARNING)
    method = PHash(verbose=False)
    yield ()
    hashes = method.encode_images(str(folder), recursive=True)
    method.find_duplicates(encoding_map=hashes)
    yield [path for path in files(folder) if path.relative_to(folder).as_posix() not in hashes]


def czkawka(folder: Path, one_by_one: bool) -> Iterator[Refused]:
    """The similar-images search of czkawka's library, which does not name the files that it cannot read.

    For detection it gets every file twice. A file that is not found similar to its own copy was not read.
    """
    from czkawka import ImageSimilarity

    def similar(root: Path, level: int) -> set[str]:
        finder = ImageSimilarity()
        finder.set_directories([str(root)])
        finder.set_similarity(level)
        return {Path(path).name for group in finder.find_similar() for path in group}

    yield ()
    if not one_by_one:
        similar(folder, 5)
        yield ()
    with tempfile.TemporaryDirectory() as twice:
        found = files(folder)
        for number, path in enumerate(found):
            for copy in "ab":
                shutil.copy(path, Path(twice) / f"{number}-{copy}{path.suffix}")
        read = {name.partition("-")[0] for name in similar(Path(twice), 0)}
    yield [path for number, path in enumerate(found) if str(number) not in read]


TOOLS: dict[str, Callable[[Path, bool], Iterator[Refused]]] = {
    "verify": verify,
    "load": load,
    "load-pool": load_pool,
    "cleanvision": cleanvision,
    "imagededup": imagededup,
    "czkawka": czkawka,
}


def main(tool: str, folder: Path, one_by_one: bool) -> None:
    with redirect_stdout(sys.stderr):
        steps = TOOLS[tool](folder, one_by_one)
        next(steps)  # imported and set up
        ready, before = time.time(), sum(os.times()[:4])
        refused = sorted(path.relative_to(folder).as_posix() for path in next(steps))
        done, after = time.time(), sum(os.times()[:4])
    print(json.dumps({"ready": ready, "done": done, "processor": after - before, "refused": refused}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).absolute(), "--one-by-one" in sys.argv[3:])

"""What several commands share: flags, progress, messages, exit codes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sorter.progress import NoProgress

DONE, FAILED, WRONG_USAGE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


class Parser(argparse.ArgumentParser):
    """Shows the examples as they are written."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**{"formatter_class": argparse.RawDescriptionHelpFormatter, **keywords})


def add_limits(which: Any) -> None:
    """What a photo may cost, for every command that decodes."""
    which.add_argument(
        "--max-megapixels",
        type=float,
        default=250.0,
        metavar="N",
        help="larger photos fail before they are decoded (default: 250)",
    )
    which.add_argument(
        "--timeout-per-file",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="a photo that takes longer fails (default: 60)",
    )


def location(text: str) -> Path:
    """A path of this machine, or an address in a store such as s3://bucket/photos."""
    from sorter.address import path_of

    return path_of(text)


def add_workers(how: Any) -> None:
    how.add_argument("-j", "--workers", type=int, metavar="N", help="processes (default: one per core)")


def add_engine(how: Any) -> None:
    """What runs the model, for every command that does."""
    add_workers(how)
    how.add_argument(
        "--device",
        default="auto",
        type=device,
        metavar="DEVICE",
        help="auto, cpu, cuda, cuda:0,1 (a process for each), all, tensorrt, directml or coreml",
    )
    how.add_argument(
        "--engine",
        choices=("auto", "onnx", "openvino", "torch"),
        default="auto",
        help="auto tries those installed on your first photos and takes the fastest that agrees",
    )
    how.add_argument(
        "--precision",
        choices=("auto", "fp32", "fp16", "bf16", "int8"),
        default="auto",
        help="auto takes a reduced one only if it agrees with fp32 on your photos",
    )
    how.add_argument(
        "--decode",
        choices=("cpu", "gpu", "auto"),
        default="cpu",
        help="where a GPU's large JPEGs are decoded; gpu (nvJPEG) spares the cores and is blind to some damage",
    )


def device(text: str) -> str:
    from sorter.engines.devices import FORMS, is_device

    if is_device(text):
        return text
    raise argparse.ArgumentTypeError(f"{text!r} is none of {FORMS}")


def add_telling(parser: Any) -> None:
    tell = parser.add_argument_group("what it tells")
    tell.add_argument("--json", action="store_true", help="print the outcome as JSON")
    tell.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors (and JSON)")


def needs_extra(*modules: str, extra: str = "learn") -> None:
    """What these commands need comes with an extra: say so before anything is read."""
    from importlib.util import find_spec

    from sorter.types import SorterError

    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise SorterError(f'{missing[0]} is not installed; `pip install "sorter[{extra}]"` brings it')


def complain(message: str) -> None:
    print(f"sorter: {message}", file=sys.stderr)


class ProgressBar(NoProgress):
    """A `Progress` on stderr: a bar on a terminal, silent elsewhere."""

    def __init__(self, quiet: bool, total: Callable[[], int]) -> None:
        self._quiet = quiet
        self._total = total
        self._bar: Any = None

    def __enter__(self) -> ProgressBar:
        if not self._quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(unit=" photos", dynamic_ncols=True, smoothing=0.05)
            self._count()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def say(self, message: str) -> None:
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.write(message, file=sys.stderr)
        else:
            print(message, file=sys.stderr)

    def advance(self, steps: int, /, **figures: float) -> None:
        if self._bar is not None:
            self._bar.update(steps)

    def _count(self) -> None:
        """Find out how many photos there are while the first are already being done."""
        import threading

        from sorter.types import SorterError

        def count() -> None:
            try:
                total = self._total()
            except SorterError:
                return  # the run itself says so
            self._bar.total = total
            self._bar.refresh()

        threading.Thread(target=count, daemon=True).start()

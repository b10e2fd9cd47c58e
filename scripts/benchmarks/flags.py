"""The flags that several benchmarks share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path


def add_parts(parser: argparse.ArgumentParser, parts: Sequence[str], note: str = "") -> None:
    parser.add_argument(
        "--only",
        type=parts_of(parts),
        default=tuple(parts),
        metavar="PARTS",
        help=f"some of {','.join(parts)}, joined by commas{note} (default: all)",
    )


def parts_of(parts: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    """The type of a flag that takes some of these names, joined by commas."""

    def read(text: str) -> tuple[str, ...]:
        chosen = tuple(text.split(","))
        for each in chosen:
            if each not in parts:
                raise argparse.ArgumentTypeError(f"{each!r} is none of {', '.join(parts)}")
        return chosen

    return read


def positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return int(text)


def add_count(
    parser: argparse.ArgumentParser, flag: str, default: int | None, what: str, *, least: int = 1
) -> None:
    """A flag that takes one number. Its help ends with the default."""
    shown = "" if default is None else f" ({default})"
    kind = positive if least else int
    parser.add_argument(flag, type=kind, default=default, metavar="N", help=f"{what}{shown}")


def add_memory(parser: argparse.ArgumentParser, default: Sequence[int]) -> None:
    shown = " ".join(map(str, default))
    parser.add_argument(
        "--memory",
        type=positive,
        nargs="+",
        default=list(default),
        metavar="N",
        help=f"photos of the memory runs ({shown})",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where photos are kept, and where the tables and the figures go."""
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="keep photos and models here for the next time"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables to this file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every measurement to this file")

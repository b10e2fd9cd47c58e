"""What runs a benchmark: its record, its work folder, its rounds and the peers beside which sorter is measured."""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.flags import add_output
from benchmarks.process import BenchmarkError

T = TypeVar("T")
PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Report:
    """The result of a benchmark.

    Attributes:
        facts: every measurement, as JSON.
        text: the tables, in Markdown.
    """

    facts: Any
    text: str


@dataclass(frozen=True)
class Benchmark:
    """One of the benchmarks.

    Attributes:
        name: its command.
        about: one line of help.
        description: what it measures, and how.
        examples: commands to copy.
        add_flags: adds the flags that it alone has.
        measure: (arguments, work folder) -> its report.
    """

    name: str
    about: str
    description: str
    examples: str
    add_flags: Callable[[argparse.ArgumentParser], None]
    measure: Callable[[argparse.Namespace, Path], Report]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        self.add_flags(parser)
        add_output(parser)

    def main(self, arguments: argparse.Namespace) -> None:
        """Measure, print the tables, and write them and the figures to `--markdown` and `--json`."""
        with work_folder(arguments.work) as work:
            report = self.measure(arguments, work)
        if arguments.json:
            arguments.json.write_text(json.dumps(report.facts, indent=2) + "\n", encoding="utf-8")
        if arguments.markdown:
            arguments.markdown.write_text(report.text, encoding="utf-8")
        print(report.text)


@dataclass(frozen=True)
class Program:
    """Something that is timed.

    Attributes:
        name: as the tables show it.
        command: from the places of one run to its command line.
        ours: it is a command of sorter.
    """

    name: str
    command: Callable[..., list[str | Path]]
    ours: bool


@contextmanager
def work_folder(kept: Path | None) -> Iterator[Path]:
    """The folder for photos and models. A temporary one is removed afterwards."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="sorter-benchmark-") as work:
            yield Path(work)


def turns(programs: Sequence[T], rounds: int) -> Iterator[Sequence[T]]:
    """The programs of each round. Every second round goes backwards, so that none always follows the same other."""
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        yield programs[:: -1 if number % 2 else 1]


def peer_python(package: str, given: Path | None, flag: str) -> Path | None:
    """The Python that has a peer's package. None, with a message, where there is none.

    Args:
        given: the Python that `flag` named.
    """
    if given is not None:
        # Not resolved: the Python of a virtual environment is a link, and finds its packages by its own path.
        return given.absolute()
    if importlib.util.find_spec(package):
        return Path(sys.executable)
    say(f"{package} is left out: it is not installed here. {flag} takes a Python that has it")
    return None


def peer_versions(python: Path, packages: Sequence[str], flag: str) -> list[str]:
    """Versions of packages in a peer's Python. Raises BenchmarkError: one is not installed there."""
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    found = subprocess.run([python, "-c", code, *packages], capture_output=True, text=True, check=False)
    if found.returncode:
        missing = found.stderr.strip().splitlines()[-1].rpartition(" ")[2] if found.stderr else packages[0]
        raise BenchmarkError(f"{flag} {python}: has no {missing}. --help shows how to install it")
    return found.stdout.split()


def say(message: str) -> None:
    """Print progress to stderr."""
    print(f"{time.strftime('%H:%M:%S')}  {message}", file=sys.stderr, flush=True)

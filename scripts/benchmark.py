"""Measure sorter on this machine, beside the programs that people use today.

Example:
    python scripts/benchmark.py run --markdown table.md --json run.json

It needs the `[test]` extra. Leave the machine alone meanwhile: its other work goes into the figures.
"""

from __future__ import annotations

import argparse
import signal
import sys

from benchmarks import clean, cluster, embedded, few, gpu, gui, likeness, run, train
from benchmarks.process import BenchmarkError

from sorter.types import SorterError

BENCHMARKS = tuple(
    module.BENCHMARK for module in (clean, cluster, embedded, few, gpu, gui, likeness, run, train)
)


def build_parser() -> argparse.ArgumentParser:
    about, _, example = (__doc__ or "").partition("Example:")
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=about, epilog=f"Example:{example}", formatter_class=raw)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for each in BENCHMARKS:
        command = commands.add_parser(
            each.name,
            help=each.about,
            description=each.description,
            epilog=each.examples,
            formatter_class=raw,
        )
        each.add_arguments(command)
        command.set_defaults(main=each.main)
    return parser


def main() -> int:
    arguments = build_parser().parse_args()
    # SIGTERM ends it as Ctrl-C does: the program being measured must not go on alone.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        arguments.main(arguments)
    except (BenchmarkError, SorterError) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure sorter on this machine, beside the programs that people use today.

Example:
    python scripts/benchmark.py run --markdown table.md --json run.json

It needs the `[test]` extra. Leave the machine alone meanwhile: whatever else it does goes into the figures.
"""

from __future__ import annotations

import argparse
import signal
import sys

import benchmark_clean
import benchmark_cluster
import benchmark_gpu
import benchmark_gui
import benchmark_run
import benchmark_train
from measure import BenchmarkError

from sorter.types import SorterError

COMMANDS = (
    benchmark_clean,
    benchmark_cluster,
    benchmark_gpu,
    benchmark_gui,
    benchmark_run,
    benchmark_train,
)  # a module each, with NAME, ABOUT, add_arguments(parser) and main(arguments)


def build_parser() -> argparse.ArgumentParser:
    about, _, example = (__doc__ or "").partition("Example:")
    parser = argparse.ArgumentParser(
        description=about,
        epilog=f"Example:{example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        command = commands.add_parser(
            module.NAME,
            help=module.ABOUT,
            description=module.__doc__,
            epilog=module.EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(main=module.main)
    return parser


def main() -> int:
    arguments = build_parser().parse_args()
    # Ended from outside is ended as by Ctrl-C: the program being measured must not go on alone.
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

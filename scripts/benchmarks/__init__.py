"""The benchmarks of `scripts/benchmark.py`: one harness, and a module for each command of sorter that is measured."""

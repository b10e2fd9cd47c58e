"""Sort a folder of photos by what is in them.

    from sorter import Classifier, sort_folder

Names are imported when they are first used, so that `sorter --help` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sorter.pipeline.classifier import Classifier
    from sorter.sort.options import Options
    from sorter.sort.run import Summary, sort_folder
    from sorter.types import Failure, Result, Scores, SorterError

__all__ = ["Classifier", "Failure", "Options", "Result", "Scores", "SorterError", "Summary", "sort_folder"]

_HOMES = {
    "Classifier": "pipeline.classifier",
    "Options": "sort.options",
    "Summary": "sort.run",
    "sort_folder": "sort.run",
    "Failure": "types",
    "Result": "types",
    "Scores": "types",
    "SorterError": "types",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'sorter' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"sorter.{_HOMES[name]}"), name)

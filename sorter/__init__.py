"""Sort a folder of photos by what is in them.

    from sorter import Classifier, sort_folder

Names are imported when they are first used, so that `sorter --help` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sorter.telemetry import disable_telemetry

if TYPE_CHECKING:
    from sorter.engines.choice import EngineOptions
    from sorter.pipeline.classifier import Classifier
    from sorter.sort.options import Options, SortOptions
    from sorter.sort.run import sort_folder
    from sorter.sort.summary import SortSummary
    from sorter.sort.summary import SortSummary as Summary
    from sorter.types import Failure, Limits, Result, Scores, SorterError

__all__ = [
    "Classifier",
    "EngineOptions",
    "Failure",
    "Limits",
    "Options",
    "Result",
    "Scores",
    "SortOptions",
    "SortSummary",
    "SorterError",
    "Summary",
    "sort_folder",
]

# `Options` and `Summary` are the names of version 0.1 for `SortOptions` and `SortSummary`. `Options` takes the flat
# keywords of that version.
_MODULES = {
    "Classifier": "pipeline.classifier:Classifier",
    "EngineOptions": "engines.choice:EngineOptions",
    "Failure": "types:Failure",
    "Limits": "types:Limits",
    "Options": "sort.options:Options",
    "Result": "types:Result",
    "Scores": "types:Scores",
    "SortOptions": "sort.options:SortOptions",
    "SortSummary": "sort.summary:SortSummary",
    "SorterError": "types:SorterError",
    "Summary": "sort.summary:SortSummary",
    "sort_folder": "sort.run:sort_folder",
}

disable_telemetry()


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'sorter' has no attribute {name!r}")
    from importlib import import_module

    module, _, attribute = _MODULES[name].partition(":")
    return getattr(import_module(f"sorter.{module}"), attribute)

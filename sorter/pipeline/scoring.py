"""Photos -> scores: by the pool on the CPU, by the ring where a device has a process of its own."""

from __future__ import annotations

from collections.abc import Callable

from sorter.engines.choice import Choice
from sorter.model.folder import Model
from sorter.pipeline.pool import Pool
from sorter.pipeline.ring import Ring
from sorter.pipeline.stages import Classify
from sorter.types import Limits, Scores


def classifying(
    model: Model,
    choice: Choice,
    workers: int,
    limits: Limits,
    batch_size: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Pool[Scores] | Ring:
    """The processes that score photos; a context, whose `run` may be called again and again.

    Args:
        workers: processes that decode (and infer, unless a device does).
        batch_size: photos in one inference on a device; None for its own.
        say: told what happens to devices.

    Raises:
        EngineError: from `run`: the engine cannot start, or died.
        PipelineError: also from `run`: workers cannot start, or their stage raised.
    """
    if choice.has_own_process:
        return Ring(model, choice, workers, limits, batch_size, say)
    return Pool(Classify(model, choice, limits), workers, limits)

"""Score photos: with a `Pool` on the CPU, with a `Ring` on devices that have their own process."""

from __future__ import annotations

from collections.abc import Callable

from sorter.engines.choice import Choice
from sorter.model.folder import Model
from sorter.model.rule import Rule
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
    rule: Rule | None = None,
) -> Pool[Scores] | Ring:
    """Processes that score photos: a context manager, whose `run` may be called repeatedly.

    Args:
        workers: processes that decode (and infer, unless a device does).
        batch_size: photos in one inference on a device. None for `ring.BATCH_SIZE`.
        say: receives messages about devices.
        rule: as for `Classify`.

    Raises:
        EngineError: from `run`, if the engine cannot start or died.
        PipelineError: from `run`, if workers cannot start or their stage raised an exception.
    """
    if choice.has_own_process:
        return Ring(model, choice, workers, limits, batch_size, say)
    return Pool(Classify(model, choice, limits, rule), workers, limits)

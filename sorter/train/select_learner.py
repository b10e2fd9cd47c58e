"""Which of the two learners a training uses, and what is known of the model before it is trained."""

from __future__ import annotations

from typing import Any

from sorter.distribution import install_command
from sorter.engines.devices import resolve
from sorter.model.folder import Model
from sorter.photos.preprocess import Preprocess
from sorter.system import available_cores
from sorter.train.backbones import describe, preprocess_of
from sorter.train.head_learner import HeadLearner, find_backbone
from sorter.train.learner import Learner, paused_garbage_collection
from sorter.train.options import TrainOptions
from sorter.train.recipes import FAST, Recipe
from sorter.types import SorterError


def select_learner(
    options: TrainOptions, recipe: Recipe, classes: tuple[str, ...], positive: str | None
) -> Learner:
    """`HeadLearner` on a CPU where a model folder has the frozen backbone, else `TorchLearner`.

    Raises:
        UsageError: no such backbone or device, or weights that do not fit.
        SorterError: torch is not installed, or weights cannot be had.
    """

    def draft(spec: Preprocess, network: dict[str, Any]) -> Model:
        out = options.out.resolve()
        return Model(out, out.name, classes, positive, 0.5, 1.0, spec, network)

    if resolve(options.device, "torch") == "cpu":
        backbone = find_backbone(recipe, options)
        if backbone is not None:
            model = draft(backbone.origin.preprocess, backbone.origin.backbone)
            return HeadLearner(recipe, model, backbone)
    try:
        with paused_garbage_collection():
            from sorter.train.pretrained import WeightSource
            from sorter.train.torch_learner import TorchLearner
    except ImportError as error:
        raise SorterError(
            f"--recipe {recipe.name}: {error.name} is not installed; install it with "
            f"`{install_command('train')}`, or use --recipe {FAST} without --epochs, --size and --device"
        ) from error
    return TorchLearner(
        recipe,
        draft(preprocess_of(recipe), describe(recipe)),
        WeightSource(options.weights, options.pretrained),
        seed=options.seed,
        device=options.device,
        workers=options.workers or available_cores(),
        seconds=None if options.time_budget is None else options.time_budget * 60,
    )

"""Whether a trained model gives photos the label of the smaller pictures that they hold of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sorter.engines.choice import REFERENCE
from sorter.model.folder import Embedded, Model, write_model
from sorter.model.rule import Rule
from sorter.photos.dataset import Example
from sorter.pipeline.embedded import may_hold_one, measure_embedded
from sorter.types import Failure, Limits


def add_embedded(model: Model, held_out: Sequence[Example], limits: Limits) -> Model:
    """Write the measure to model.json, so that short runs know it. Few such photos leave the folder as it is.

    Args:
        model: as written.
        held_out: photos that it did not learn from.
    """
    photos = [example.photo for example in held_out if may_hold_one(example.photo)]
    if len(photos) < Embedded.ENOUGH:
        return model
    found = measure_embedded(model, Rule.of(model), REFERENCE, photos, limits)
    if isinstance(found, Failure) or found.photos < Embedded.ENOUGH:
        return model
    return write_model(replace(model, embedded=found))

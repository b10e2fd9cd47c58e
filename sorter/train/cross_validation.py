"""Trials before the final training: cross-validation, or repeated random splits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sorter.photos.dataset import TEST, VAL, Dataset, Example, folds, split
from sorter.photos.groups import groups_of
from sorter.train.options import TrainOptions
from sorter.train.result import TRIAL_FIGURES
from sorter.train.trainer import Trainer
from sorter.train.work_folder import WorkFolder

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class CrossValidation:
    """Trains on a part of the photos and measures on the rest, for each fold and repetition.

    Attributes:
        trainer: trains each trial from the same start.
        options: `folds`, `repeats` and `seed` are read.
        parts: the examples of each part that the folders name. `test` is left out.
        by_folds: the trials have no validation part; see `chooses_by_folds`.
    """

    trainer: Trainer
    options: TrainOptions
    parts: Mapping[str | None, list[Example]]
    by_folds: bool = False

    def run(self, work: WorkFolder) -> tuple[dict[str, float | None], ...]:
        """The figures of each trial. Trials that the work folder has are not run again."""
        count = self.options.folds * self.options.repeats
        if count == 1:
            return ()
        done = work.read_trials()
        for number, dataset in enumerate(self._splits()):
            if number < len(done):
                continue
            self.trainer.progress.say(f"Trial {number + 1} of {count}")
            trained = self.trainer.fit(dataset, self.options.seed + number)
            found = self.trainer.measure(trained, dataset.test, resamples=2).metrics.to_json()
            done.append({name: found[name]["value"] for name in TRIAL_FIGURES})
            work.write_trials(done)
        return tuple(done)

    def _splits(self) -> Iterator[Dataset]:
        """Each repetition tests every photo once. Photos of one group of duplicates stay together."""
        fingerprints = self.trainer.data.fingerprints
        examples = [
            example
            for part, some in self.parts.items()
            if part != "test"
            for example in some
            if example.photo.path in fingerprints
        ]
        root, classes = self.options.data, self.trainer.learner.draft.classes
        val = 0.0 if self.by_folds else self.options.val or VAL
        groups = groups_of(examples, fingerprints)
        labels = np.array([example.label for example in examples])
        for repeat in range(self.options.repeats):
            seed = self.options.seed + repeat
            if self.options.folds == 1:
                test = self.options.test or TEST
                yield split(root, classes, {None: examples}, fingerprints, seed, val, test)
                continue
            fold = folds(groups, labels, self.options.folds, seed)
            for held_out in range(self.options.folds):
                parts: dict[str | None, list[Example]] = {
                    "train": [e for e, f in zip(examples, fold, strict=True) if f != held_out],
                    "test": [e for e, f in zip(examples, fold, strict=True) if f == held_out],
                }
                yield split(root, classes, parts, fingerprints, seed, val)

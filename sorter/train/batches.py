"""The training batches: shuffled, augmented and mixed, on the device."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Sampler
from torchvision.transforms import v2

from sorter.train.augment import augmentation
from sorter.train.recipes import Phase, Recipe
from sorter.train.settings import TrainSettings
from sorter.train.training_set import Subset

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Batches:
    """The batches of one phase: (inputs, targets) on the device, epoch by epoch."""

    def __init__(
        self, photos: Subset, recipe: Recipe, phase: Phase, number: int, settings: TrainSettings
    ) -> None:
        self.photos = photos
        self.recipe = recipe
        self.cached = phase.cached
        self.number = number
        self.settings = settings
        self.size = min(recipe.batch_size, len(photos))
        # Batch norm needs more than one photo in a batch.
        self.drop = len(photos) % self.size == 1 and len(photos) > 1
        self.order = EpochSampler(photos.labels, recipe, number, settings)
        mean, std = torch.tensor(settings.spec.mean), torch.tensor(settings.spec.std)
        self.mean = (255 * mean).view(1, 3, 1, 1).to(settings.device)
        self.std = (255 * std).view(1, 3, 1, 1).to(settings.device)
        mixes = [(v2.MixUp, recipe.mixup), (v2.CutMix, recipe.cutmix)]
        self.mixes = [kind(alpha=alpha, num_classes=settings.classes) for kind, alpha in mixes if alpha]
        self.loader: Any = None
        if not self.cached:
            workers = settings.workers
            self.loader = DataLoader(
                Augmented(photos, augmentation(recipe.augment, settings.spec.size), settings.seed, number),
                self.size,
                sampler=self.order,
                drop_last=self.drop,
                num_workers=workers,
                persistent_workers=workers > 0,
                multiprocessing_context="spawn" if workers else None,
                pin_memory=settings.device.type == "cuda",
                generator=torch.Generator().manual_seed(settings.seed),  # not the global generator
            )

    def __len__(self) -> int:
        return len(self.photos) // self.size if self.drop else math.ceil(len(self.photos) / self.size)

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Inputs: float32 (b, 3, s, s), or (b, d) from the cache; targets: float32 (b, k), summing to 1."""
        self.order.epoch = epoch
        for inputs, labels in self._features() if self.cached else self.loader:
            inputs = inputs.to(self.settings.device, non_blocking=True)
            labels = labels.to(self.settings.device, non_blocking=True)
            targets = functional.one_hot(labels, self.settings.classes).float()
            if not self.cached:
                inputs = ((inputs.float() - self.mean) / self.std).contiguous(
                    memory_format=torch.channels_last
                )
                if self.mixes:
                    mix = self.mixes[int(torch.randint(len(self.mixes), ()))]
                    inputs, targets = mix(inputs, labels)
            smoothing = self.recipe.label_smoothing
            yield inputs, targets * (1 - smoothing) + smoothing / self.settings.classes

    def _features(self) -> Iterator[tuple[Tensor, Tensor]]:
        places = [place for _, place in self.order]
        for at in range(0, len(self) * self.size, self.size):
            some = np.array(places[at : at + self.size])
            yield (
                torch.from_numpy(self.photos.read_features(some)),
                torch.from_numpy(self.photos.labels[some]),
            )


class EpochSampler(Sampler[tuple[int, int]]):
    """(epoch, place) of every photo once, shuffled; or drawn so that all classes are equally frequent.

    A place is an index into the photos of the subset.
    """

    def __init__(
        self, labels: NDArray[np.int64], recipe: Recipe, number: int, settings: TrainSettings
    ) -> None:
        self.labels = labels
        self.number = number
        self.seed = settings.seed
        self.epoch = 0
        self.draw = recipe.balance == "sampling"

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        generator = torch.Generator().manual_seed(seed_of(self.seed, self.number, self.epoch, 1))
        if self.draw:
            chances = torch.from_numpy(1 / np.bincount(self.labels)[self.labels])
            places = torch.multinomial(chances, len(self), replacement=True, generator=generator)
        else:
            places = torch.randperm(len(self), generator=generator)
        return ((self.epoch, place) for place in places.tolist())


class Augmented(Dataset[tuple[Tensor, int]]):
    """Augmented photos. The changes depend on (seed, phase, epoch, place), not on the process."""

    def __init__(self, photos: Subset, augment: Any, seed: int, number: int) -> None:
        self.photos = photos
        self.augment = augment
        self.seed = seed
        self.number = number

    def __getitem__(self, key: tuple[int, int]) -> tuple[Tensor, int]:
        return self.__getitems__([key])[0]

    def __getitems__(self, keys: list[tuple[int, int]]) -> list[tuple[Tensor, int]]:
        """A whole batch. Saving and restoring the generator for each photo would cost more than augmenting it."""
        with torch.random.fork_rng(devices=[]):
            return [self._changed(epoch, place) for epoch, place in keys]

    def _changed(self, epoch: int, place: int) -> tuple[Tensor, int]:
        pixels = torch.from_numpy(np.array(self.photos.read_pixels(place)))  # (s, s, 3)
        # torch.manual_seed would seed every kind of device, which takes longer than the changes.
        torch.default_generator.manual_seed(seed_of(self.seed, self.number, epoch, place + 2))
        return self.augment(pixels.permute(2, 0, 1)), int(self.photos.labels[place])  # (3, s, s)


def seed_of(*numbers: int) -> int:
    """One seed below 2 ** 63 from several numbers; neighbouring numbers give unrelated seeds."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))

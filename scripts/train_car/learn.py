"""The head of the shipped model: fitted to weighted photos and scenes, with parts of them held out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sorter.train.linear import LinearHead, fit_linear
from train_car.study import CAR, NOT_CAR, PHOTO, RECIPE, Floats, Mask, Rows, Study

# Weight of each kind of scene made, beside 1 for all photos of its class.
SHARES = {"third": 0.2, "upper": 0.1, "band": 1.1, "pasted": 0.75}
MAX_REPEATS = 8


def fit(study: Study, allowed: Mask) -> LinearHead:
    """A head fitted to the allowed photos (m,) and the scenes made of them."""
    rows = np.flatnonzero(study.whole(allowed))
    l2 = RECIPE.phases[0].l2
    return fit_linear(study.features[rows], study.labels[rows], weights(study, rows), l2, CAR)


def weights(study: Study, rows: Rows) -> Floats:
    """Weights of pictures, float64 (len(rows),), with a mean of 1.

    Both classes weigh the same. In a class each group weighs the same. Scenes weigh as in `SHARES`.
    """
    kinds, groups = study.kinds[rows], study.of_photo(study.groups)[rows]
    labels = study.labels[rows]
    found = np.zeros(len(rows))
    for label in (CAR, NOT_CAR):
        photos = (kinds == PHOTO) & (labels == label)
        for group in np.unique(groups[photos]):
            cell = photos & (groups == group)
            found[cell] = 1 / cell.sum()
        found[photos] /= found[photos].sum()
        for kind, share in SHARES.items():
            made = (kinds == kind) & (labels == label)
            found[made] = share / max(made.sum(), 1)
        found[labels == label] /= found[labels == label].sum()
    return np.asarray(found * len(rows) / found.sum())


def repeated(study: Study, rows: Rows) -> Rows:
    """The rows, with those of a small (group, class) repeated."""
    cells = np.char.add(study.of_photo(study.groups), study.labels.astype(np.str_))[rows]
    _, cell, counts = np.unique(cells, return_inverse=True, return_counts=True)
    times = np.minimum(counts.max() / counts, MAX_REPEATS)
    return np.repeat(rows, times.round().astype(np.int64)[cell])


def held_out(study: Study, parts: NDArray[np.str_]) -> Floats:
    """Logits (n,), each from a head that was fitted without the picture's part. NaN where the part is ''."""
    logits = np.full(len(study.labels), np.nan)
    for part in sorted(set(parts.tolist()) - {""}):
        rows = np.flatnonzero(study.measured & (study.of_photo(parts) == part))
        logits[rows] = fit(study, parts != part)(study.features[rows])[:, 0]
    return logits

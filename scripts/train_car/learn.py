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
    """Learned from the photos that are allowed (m,) and what was made of them."""
    rows = np.flatnonzero(study.whole(allowed))
    l2 = RECIPE.phases[0].l2
    return fit_linear(study.features[rows], study.labels[rows], weights(study, rows), l2, CAR)


def weights(study: Study, rows: Rows) -> Floats:
    """Both classes weigh the same; in a class each group weighs the same, and scenes weigh as `SHARES` has it.

    Returns:
        (len(rows),), their mean 1.
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
    """Pictures of a (group, class) that has few of them come more often."""
    cells = np.char.add(study.of_photo(study.groups), study.labels.astype(np.str_))[rows]
    _, cell, counts = np.unique(cells, return_inverse=True, return_counts=True)
    times = np.minimum(counts.max() / counts, MAX_REPEATS)
    return np.repeat(rows, times.round().astype(np.int64)[cell])


def held_out(study: Study, parts: NDArray[np.str_]) -> Floats:
    """Each picture's logit (n,) from a head that saw nothing of its part; NaN where that is ''."""
    logits = np.full(len(study.labels), np.nan)
    for part in sorted(set(parts.tolist()) - {""}):
        rows = np.flatnonzero(study.measured & (study.of_photo(parts) == part))
        logits[rows] = fit(study, parts != part)(study.features[rows])[:, 0]
    return logits

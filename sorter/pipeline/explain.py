"""Where a model looked in one photo: a heat map and boxes, for the command, the reports and the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.model.folder import Model
from sorter.model.rule import Rule
from sorter.types import Failure, Limits, Photo, Scores, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HEAT_SIDE = 448  # pixels of a heat map's longer side
CELLS = 64  # of a row, of those that regions are made of
HOT = 0.5  # heat from which on a place belongs to a region
MAX_REGIONS = 5
LEAST_SHARE = 0.02  # of a region in the photo's evidence


@dataclass(frozen=True, slots=True)
class Region:
    """A box around a place that speaks for the class, in the photo's own upright pixels.

    Attributes:
        left: of its left edge, from the left. So `top`, from the top.
        width: in pixels. So `height`.
        score: the greatest heat in it, 0..1. The hottest place of a photo has 1.
        share: how much of all that speaks for the class lies in it, 0..1.
    """

    left: int
    top: int
    width: int
    height: int
    score: float
    share: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a model looked.

    Attributes:
        label: the class that is explained.
        probability: of that class.
        method: `score-map`, `activation` or `occlusion`; see `sorter.engines.evidence.EvidenceNetwork`.
        heat: float32 (h, w), 0..1, over the whole upright photo in its own shape; the longer side has 448. Scale it to
            the size that the photo is shown in. It is 0 where a place speaks against the class, and everywhere in a
            photo where none speaks for it.
        regions: the hottest first, at most five; none where nothing speaks for the class.
        width: of the photo, upright, in pixels. So `height`.
    """

    label: str
    probability: float
    method: str
    heat: NDArray[np.float32]
    regions: tuple[Region, ...]
    width: int
    height: int

    def to_json(self) -> dict[str, Any]:
        """Everything but the heat map."""
        boxes = [
            {
                "left": each.left,
                "top": each.top,
                "width": each.width,
                "height": each.height,
                "score": round(each.score, 4),
                "share": round(each.share, 4),
            }
            for each in self.regions
        ]
        return {
            "class": self.label,
            "probability": round(self.probability, 6),
            "method": self.method,
            "width": self.width,
            "height": self.height,
            "regions": boxes,
        }


def explain_photo(
    model: Model, path: Path, label: str | None = None, limits: Limits | None = None
) -> Explanation | Failure:
    """Where a model looks in one photo, in this process.

    It takes 0.1 to 0.2 seconds to load the network and some hundredths for the photo. An `Explainer` that is kept
    spares the first. With a network whose evidence is not local it takes some fifty inferences.

    Args:
        model: of `read_model`, verified.
        path: of the photo.
        label: the class to explain; None for the one that the model decides on.
        limits: what the photo may cost.

    Raises:
        ModelError: the model folder has no `model.onnx`.
        EngineError: ONNX Runtime cannot run it.
        UsageError: the model has no such class.
    """
    return Explainer(model, limits=limits)(path, label)


class Explainer:
    """Explains any number of photos, one at a time, in this process.

    Args:
        model: of `read_model`, verified.
        rule: that decides on the class; None for the model's own.
        limits: what a photo may cost.
        threads: of one inference; 0 for one per core.

    Raises:
        ModelError, EngineError: as for `explain_photo`.
    """

    def __init__(
        self, model: Model, rule: Rule | None = None, limits: Limits | None = None, threads: int = 0
    ) -> None:
        from sorter.engines.evidence import EvidenceNetwork
        from sorter.photos.decode import Decoder

        self._model = model
        self._rule = rule or Rule.of(model)
        self._network = EvidenceNetwork(model, threads)
        self._decode = Decoder(model.preprocess.min_side, limits)

    def __call__(self, path: Path, label: str | None = None) -> Explanation | Failure:
        """Arguments and errors as those of `explain_photo`."""
        spec = self._model.preprocess
        decoded = self._decode(path)
        if isinstance(decoded, Failure):
            return decoded
        evidence = self._network(spec.normalise(spec(decoded.pixels)[None]))
        probabilities = self._model.probabilities(tuple(map(float, evidence.logits)))
        if label is None:
            label = self._rule.likeliest(Scores(probabilities, decoded.width, decoded.height))
        at = class_index(self._model, label)
        height, width = _heat_shape(decoded.height, decoded.width)
        heat = _heat(spec.spread(evidence.maps[at], width, height))
        return Explanation(
            label=label,
            probability=probabilities[at],
            method=self._network.method,
            heat=heat,
            regions=_regions(heat, decoded.width, decoded.height),
            width=decoded.width,
            height=decoded.height,
        )


@dataclass(frozen=True)
class HeatThumbnail:
    """Stage: a small JPEG of a photo under its heat map.

    Attributes:
        model: verified.
        rule: that decides on the class.
        side: of the square that the picture fits in, in pixels.
        limits: as for `Decoder`.
    """

    model: Model
    rule: Rule
    side: int
    limits: Limits

    def start(self) -> Callable[[Photo], bytes | Failure]:
        import io

        from sorter.photos.decode import Decoder
        from sorter.pipeline.overlay import overlay

        explain = Explainer(self.model, self.rule, self.limits, threads=1)
        decode = Decoder(self.side, self.limits)

        def thumbnail(photo: Photo) -> bytes | Failure:
            found, decoded = explain(photo.path), decode(photo.path)
            if isinstance(found, Failure):
                return found
            if isinstance(decoded, Failure):
                return decoded
            buffer = io.BytesIO()
            overlay(decoded.pixels, found, self.side).save(buffer, "JPEG", quality=80)
            return buffer.getvalue()

        return thumbnail


def class_index(model: Model, label: str) -> int:
    """The place of a class that the user named. Raises UsageError for one that the model does not have."""
    if label not in model.classes:
        raise UsageError(
            f"--class {label}: {model.name} has no such class; its classes are {', '.join(model.classes[:20])}"
        )
    return model.classes.index(label)


def _heat_shape(height: int, width: int) -> tuple[int, int]:
    scale = HEAT_SIDE / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def _heat(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """What speaks for the class, as a share of the most that any place does."""
    import numpy as np

    positive = np.maximum(evidence, 0)
    most = positive.max()
    return positive / most if most > 0 else positive


def _regions(heat: NDArray[np.float32], width: int, height: int) -> tuple[Region, ...]:
    """Boxes around connected hot places, the ones with most evidence first."""
    import numpy as np
    from PIL import Image

    shape = [max(1, min(CELLS, side)) for side in (heat.shape[1], heat.shape[0])]
    cells = np.asarray(Image.fromarray(heat).resize((shape[0], shape[1]), Image.Resampling.BOX))
    total = float(cells.sum())
    found = []
    for rows, columns in _connected(cells >= HOT):
        values = cells[rows, columns]
        left, right = columns.min() * width / shape[0], (columns.max() + 1) * width / shape[0]
        top, bottom = rows.min() * height / shape[1], (rows.max() + 1) * height / shape[1]
        box = (round(left), round(top), max(1, round(right - left)), max(1, round(bottom - top)))
        found.append(Region(*box, score=float(values.max()), share=float(values.sum()) / total))
    found.sort(key=lambda region: (-region.score, -region.share))
    return tuple(each for each in found if each.share >= LEAST_SHARE)[:MAX_REGIONS]


def _connected(hot: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The rows and columns of each group of cells that touch at a side."""
    import numpy as np

    left = {(int(row), int(column)) for row, column in np.argwhere(hot)}
    groups = []
    while left:
        front, group = [left.pop()], []
        while front:
            row, column = front.pop()
            group.append((row, column))
            beside = {(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)} & left
            left -= beside
            front += beside
        rows, columns = np.array(group).T
        groups.append((rows, columns))
    return groups

"""Stages: the work of a worker process on one photo. They are pickled, so they import libraries in the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sorter.engines.choice import Choice
from sorter.model.folder import Model
from sorter.model.rule import Rule
from sorter.types import Decoded, Failure, Limits, Photo, Scores


@dataclass(frozen=True)
class Classify:
    """Decode and infer in one process. No pixels cross a process boundary.

    On a CPU, separate processes for decoding and inference would gain nothing: both use the same cores.

    Attributes:
        rule: says which photos are near another label, and are decoded themselves. None for the model's own.
    """

    model: Model
    choice: Choice
    limits: Limits
    rule: Rule | None = None

    def start(self) -> Callable[[Photo], Scores | Failure]:
        from sorter.engines.load import load_engine
        from sorter.photos.decode import Decoder

        engine = load_engine(self.model, self.choice)
        spec, margin = self.model.preprocess, self.choice.embedded
        whole = Decoder(spec.min_side, self.limits)
        first = whole if margin is None else Decoder(spec.min_side, self.limits, embedded=spec.size)
        rule = self.rule or Rule.of(self.model)

        def score(decoded: Decoded) -> Scores:
            row = engine(spec.normalise(spec(decoded.pixels)[None]))[0]
            return scores_of(self.model, tuple(map(float, row)), decoded.width, decoded.height)

        def classify(photo: Photo) -> Scores | Failure:
            decoded = first(photo.path)
            if isinstance(decoded, Failure):
                return decoded
            scores = score(decoded)
            if not decoded.embedded or margin is None or not rule.is_near(scores, margin):
                return scores
            decoded = whole(photo.path)
            return decoded if isinstance(decoded, Failure) else score(decoded)

        return classify


def scores_of(model: Model, row: Sequence[float], width: int, height: int) -> Scores:
    """An engine's row for one photo, its logits and perhaps `unfamiliar`, -> the scores."""
    logits, rest = tuple(row[: model.outputs]), row[model.outputs :]
    return Scores(model.probabilities(logits), width, height, rest[0] if rest else None)


@dataclass(frozen=True)
class Thumbnail:
    """Make a small JPEG of a photo for a report.

    Attributes:
        side: of the square that the thumbnail fits in, in pixels.
        limits: as for `Decoder`.
    """

    side: int
    limits: Limits

    def start(self) -> Callable[[Photo], bytes | Failure]:
        import io

        from PIL import Image

        from sorter.photos.decode import Decoder

        decode = Decoder(self.side, self.limits, embedded=self.side)

        def thumbnail(photo: Photo) -> bytes | Failure:
            decoded = decode(photo.path)
            if isinstance(decoded, Failure):
                return decoded
            image = Image.fromarray(decoded.pixels)
            image.thumbnail((self.side, self.side), reducing_gap=2.0)
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=80)
            return buffer.getvalue()

        return thumbnail

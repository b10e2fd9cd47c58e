"""Stages: the work of a worker process on one photo. They are pickled, so they import libraries in the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sorter.engines.choice import Choice
from sorter.model.folder import Model
from sorter.types import Failure, Limits, Photo, Scores


@dataclass(frozen=True)
class Classify:
    """Decode and infer in one process. No pixels cross a process boundary.

    On a CPU, separate processes for decoding and inference would gain nothing: both use the same cores.
    """

    model: Model
    choice: Choice
    limits: Limits

    def start(self) -> Callable[[Photo], Scores | Failure]:
        from sorter.engines.load import load_engine
        from sorter.photos.decode import Decoder

        engine = load_engine(self.model, self.choice)
        spec = self.model.preprocess
        decode = Decoder(spec.min_side, self.limits)

        def classify(photo: Photo) -> Scores | Failure:
            decoded = decode(photo.path)
            if isinstance(decoded, Failure):
                return decoded
            row = engine(spec.normalise(spec(decoded.pixels)[None]))[0]
            return scores_of(self.model, tuple(map(float, row)), decoded.width, decoded.height)

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

        decode = Decoder(self.side, self.limits)

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

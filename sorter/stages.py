"""What a worker does with one photo. Stages are small and picklable; workers import what they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sorter.infer import Choice, Verdict
from sorter.model import Model
from sorter.types import Failure, Photo, Scores


@dataclass(frozen=True)
class Classify:
    """Decode and infer in the same process: paths in, scores out, no pixel crosses a process boundary.

    On a CPU the milliseconds of decoding and inferring add up whoever does them, so splitting them among
    processes gains nothing; one photo at a time keeps both in the cache.
    """

    model: Model
    choice: Choice
    max_megapixels: float

    def start(self) -> Callable[[Photo], Scores | Failure]:
        from sorter.decode import Decoder
        from sorter.infer import load_engine

        engine = load_engine(self.model, self.choice)
        spec = self.model.preprocess
        decode = Decoder(spec.min_side, self.max_megapixels)

        def classify(photo: Photo) -> Scores | Failure:
            decoded = decode(photo.path)
            if isinstance(decoded, Failure):
                return decoded
            logits = engine(spec.normalise(spec(decoded.pixels)[None]))[0]
            probabilities = self.model.probabilities(tuple(map(float, logits)))
            return Scores(probabilities, decoded.width, decoded.height)

        return classify


@dataclass(frozen=True)
class Thumbnail:
    """A small JPEG of a photo, for the report.

    Attributes:
        side: of the square it fits in, pixels.
        max_megapixels: as for `Decoder`.
    """

    side: int
    max_megapixels: float

    def start(self) -> Callable[[Photo], bytes | Failure]:
        import io

        from PIL import Image

        from sorter.decode import Decoder

        decode = Decoder(self.side, self.max_megapixels)

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


@dataclass(frozen=True)
class Measure:
    """Try engines on photos: one job, whose photo is a mere stand-in. A process apart keeps its faults apart.

    Attributes:
        paths: photos to try; those that do not decode are passed over.
        choices: what to try.
        count: how many photos it takes; with fewer the answer is empty.
    """

    model: Model
    paths: tuple[Path, ...]
    choices: tuple[Choice, ...]
    count: int

    def start(self) -> Callable[[Photo], list[Verdict] | Failure]:
        from sorter.agreement import measure
        from sorter.decode import Decoder

        spec = self.model.preprocess
        decode = Decoder(spec.min_side)

        def try_them(_: Photo) -> list[Verdict]:
            decoded = (each for each in map(decode, self.paths) if not isinstance(each, Failure))
            inputs = [spec.normalise(spec(each.pixels)[None]) for each in islice(decoded, self.count)]
            return measure(self.model, inputs, self.choices) if len(inputs) == self.count else []

        return try_them

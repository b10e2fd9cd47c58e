"""What a worker does with one photo. Stages are small and picklable; workers import what they need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sorter.engines.choice import Choice, Trial
from sorter.model.folder import Model
from sorter.types import Failure, Limits, Photo, Scores


@dataclass(frozen=True)
class Classify:
    """Decode and infer in the same process: paths in, scores out, no pixel crosses a process boundary.

    On a CPU the milliseconds of decoding and inferring add up whoever does them, so splitting them among
    processes gains nothing; one photo at a time keeps both in the cache.
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
            logits = engine(spec.normalise(spec(decoded.pixels)[None]))[0]
            probabilities = self.model.probabilities(tuple(map(float, logits)))
            return Scores(probabilities, decoded.width, decoded.height)

        return classify


@dataclass(frozen=True)
class Thumbnail:
    """A small JPEG of a photo, for the report.

    Attributes:
        side: of the square it fits in, pixels.
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


@dataclass(frozen=True)
class Measure:
    """Try engines on photos: one job, whose photo is a mere stand-in. A process apart keeps its faults apart.

    Attributes:
        paths: photos to try; those that do not decode are passed over.
        choices: what to try.
        count: how many photos it takes; with fewer there are no verdicts.
        batch_size: for engines that take batches.
    """

    model: Model
    paths: tuple[Path, ...]
    choices: tuple[Choice, ...]
    count: int
    batch_size: int

    def start(self) -> Callable[[Photo], Trial | Failure]:
        import time

        import numpy as np

        from sorter.engines.compare import compare, compare_on_device
        from sorter.engines.jpeg import Jpeg, read_file
        from sorter.photos.decode import Decoder

        spec = self.model.preprocess
        decode = Decoder(spec.min_side)

        def on_device(path: Path) -> Jpeg | None:
            plain = decode.plain_jpeg(path)
            return Jpeg(partial(read_file, path), plain.orientation) if plain else None

        def try_them(_: Photo) -> Trial:
            pixels, paths, seconds = [], [], 0.0
            for path in self.paths:
                began = time.perf_counter()
                decoded = decode(path)
                if isinstance(decoded, Failure):
                    continue
                pixels.append(spec(decoded.pixels))
                seconds += time.perf_counter() - began
                paths.append(path)
                if len(paths) == self.count:
                    break
            else:
                return Trial((), 0.0)
            inputs = [spec.normalise(one[None]) for one in pixels]
            apart = [choice for choice in self.choices if choice.has_own_process]
            verdicts = compare(self.model, inputs, [choice for choice in self.choices if not choice.has_own_process])
            if apart:
                files = [on_device(path) for path in paths]
                verdicts += compare_on_device(self.model, np.stack(pixels), files, apart, self.batch_size)
            return Trial(tuple(verdicts), seconds * 1e3 / len(paths))

        return try_them

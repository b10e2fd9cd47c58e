"""Decide whether the smaller pictures that photos hold of themselves may be scored in the photos' place.

An iPhone's HEIC of 12 megapixels takes 0.4 s of a core, and the picture of 320 x 240 in it takes 6 ms. Its scores are a
little different. So photos whose label that could change are decoded after all. The rest is tried on the user's photos.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

from sorter.engines.choice import Choice, EngineOptions
from sorter.files import atomic_write
from sorter.model.folder import Embedded, Model
from sorter.model.rule import Rule
from sorter.pipeline.process import call_in_process
from sorter.system import cache_folder
from sorter.types import Failure, Limits, Photo, Scores

MARGIN = 0.2  # of probabilities. docs/design/pipeline.md says how it was measured.
WORTH_A_TRIAL = 300  # photos of a run; a trial decodes a third of them
WORTH_A_CHECK = 2000  # photos of a run, where the model folder says already that labels agree
HOLDERS = frozenset({".heic", ".heif", ".hif", ".jpg", ".jpeg", ".jpe", ".mpo"})
LEAST_BYTES = 1 << 19  # of a photo that holds a smaller picture worth a look
TRIAL_SECONDS = 600.0  # a hundred photos that are decoded in full on a busy machine


@dataclass(frozen=True)
class MeasureEmbedded:
    """Score photos by the pictures that they hold of themselves, and by themselves. Run in a process.

    Attributes:
        paths: photos. Those without such a picture are skipped.
        count: how many with one are enough.
    """

    model: Model
    rule: Rule
    choice: Choice
    paths: tuple[Path, ...]
    count: int = Embedded.ENOUGH

    def __call__(self) -> Embedded:
        from sorter.engines.load import load_engine
        from sorter.photos.decode import Decoder
        from sorter.types import Decoded

        engine, spec = load_engine(self.model, self.choice), self.model.preprocess
        decode = Decoder(spec.min_side, embedded=spec.size)
        whole = Decoder(spec.min_side)

        def score(decoded: Decoded) -> Scores:
            logits = engine(spec.normalise(spec(decoded.pixels)[None]))[0][: self.model.outputs]
            probabilities = self.model.probabilities(tuple(map(float, logits)))
            return Scores(probabilities, decoded.width, decoded.height)

        same = again = photos = 0
        for path in self.paths:
            small = decode.embedded_picture(path)
            full = whole(path) if small is not None else None
            if small is None or not isinstance(full, Decoded):
                continue
            first, second = score(small), score(full)
            near = self.rule.is_near(first, MARGIN)
            photos += 1
            again += near
            same += near or self.rule(first).label == self.rule(second).label
            if photos == self.count:
                break
        return Embedded(photos, same / max(photos, 1), again / max(photos, 1))


def may_hold_one(photo: Photo) -> bool:
    """By its name and size: the photo is not opened."""
    return photo.size >= LEAST_BYTES and photo.path.suffix.lower() in HOLDERS


def measure_embedded(
    model: Model, rule: Rule, choice: Choice, photos: Sequence[Photo], limits: Limits
) -> Embedded | Failure:
    """Run `MeasureEmbedded` in a process of its own, on the photos that may hold a smaller picture."""
    measure = MeasureEmbedded(model, rule, choice, tuple(each.path for each in photos if may_hold_one(each)))
    return call_in_process(measure, replace(limits, seconds=max(TRIAL_SECONDS, limits.seconds)))


def choose_embedded(
    model: Model,
    rule: Rule,
    choice: Choice,
    wanted: EngineOptions,
    photos: Iterable[Photo],
    limits: Limits,
    say: Callable[[str], None],
) -> Choice:
    """The choice, with `embedded` where pictures that photos hold of themselves are to be scored.

    The model folder says it for a run of fewer than `WORTH_A_TRIAL` photos, or of fewer than `WORTH_A_CHECK` if it says
    that labels agree. A longer run tries it once for a model and a machine. With `--reject` and on devices of their own
    process, only `--decode preview` takes such pictures.

    Args:
        rule: how probabilities become labels.
        photos: those of the run. A trial takes as many as it needs.
        say: receives messages about a trial.
    """
    if wanted.decode == "preview":
        return replace(choice, embedded=0.0)
    if wanted.decode not in (None, "auto") or choice.has_own_process or rule.reject:
        return choice
    used = replace(choice, embedded=MARGIN)
    cache = _cache_file(model, choice)
    known = _read(cache)
    if known is None:
        agrees = model.embedded is not None and model.embedded.passed
        worth = WORTH_A_CHECK if agrees else WORTH_A_TRIAL
        sample = list(islice(photos, worth))
        enough = sum(map(may_hold_one, sample)) >= Embedded.ENOUGH and len(sample) == worth
        known = _try(model, rule, choice, sample, limits, say) if enough else None
        if known is not None and known.photos >= Embedded.ENOUGH:
            _write(cache, known)
        else:
            known = model.embedded
    return used if known is not None and known.passed else choice


def _try(
    model: Model,
    rule: Rule,
    choice: Choice,
    photos: Sequence[Photo],
    limits: Limits,
    say: Callable[[str], None],
) -> Embedded | None:
    say(f"Comparing {Embedded.ENOUGH} of your photos with the smaller pictures in their files (once) ...")
    found = measure_embedded(model, rule, choice, photos, limits)
    if isinstance(found, Failure):
        say(f"  Failed ({found.reason.value}). Photos are decoded in full, and the next run tries again.")
        return None
    if found.photos >= Embedded.ENOUGH:
        say(
            f"  The same label for {found.agreement:.0%}, {found.decoded_again:.0%} decoded in full to be sure"
            + ("" if found.passed else ": not used")
        )
    return found


def _cache_file(model: Model, choice: Choice) -> Path | None:
    folder = cache_folder("engines")
    if folder is None:
        return None
    key = [model.fingerprint, str(choice), MARGIN, platform.node()]
    return folder / f"embedded-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.json"


def _read(cache: Path | None) -> Embedded | None:
    if cache is None:
        return None
    try:
        return Embedded(**json.loads(cache.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _write(cache: Path | None, found: Embedded) -> None:
    if cache is None:
        return
    with suppress(OSError), atomic_write(cache, shared=True) as part:
        part.write_text(json.dumps(asdict(found)) + "\n", encoding="utf-8")

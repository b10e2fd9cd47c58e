"""`sorter export`: a model folder's ONNX files, made again from its weights."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.export.files import check_precisions, export_onnx, onnx_spec
from sorter.export.quantise import quantise
from sorter.model.folder import ONNX, ONNX_INT8, WEIGHTS, Model, ModelError, read_model, write_model
from sorter.photos.preprocess import Preprocess
from sorter.photos.scan import Scan
from sorter.pipeline.pool import Pool
from sorter.progress import NoProgress, Progress
from sorter.system import available_cores, worker_limits
from sorter.types import Failure, Limits, Photo, Result, Status, UsageError, check_above_zero

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

CALIBRATION = 100  # photos that fix the int8 ranges
VALIDATION = 400  # other photos, on which every engine and precision is compared
MIN_PHOTOS = 20  # to calibrate and compare on
BATCH = 16


@dataclass(frozen=True)
class ExportOptions:
    """The options of `sorter export`.

    Attributes:
        model: a model folder with model.safetensors.
        calibrate: photos for int8, in one folder or in folders named as the classes; None leaves int8 as it is.
        workers: processes that decode; None for one per core.
        limits: what a photo may cost.
    """

    model: Path
    calibrate: Path | None = None
    workers: int | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class ExportResult:
    """The result of an export.

    Attributes:
        model: as written.
        difference: the largest difference of a float32 ONNX logit from torch's.
        calibrated_on: number of calibration photos.
        compared_on: number of other photos; 0 where no photos were given.
        labelled: the photos have labels, so accuracy was compared, too.
        failed: number of photos that could not be decoded.
    """

    model: Model
    difference: float
    calibrated_on: int
    compared_on: int
    labelled: bool
    failed: int

    def to_json(self) -> dict[str, Any]:
        return {
            "model": str(self.model.folder),
            "files": self.model.files,
            "difference": self.difference,
            "calibrated_on": self.calibrated_on,
            "compared_on": self.compared_on,
            "labelled": self.labelled,
            "failed": self.failed,
            "int8": self.model.has(ONNX_INT8),
            "agreement": self.model.agreement,
        }


@dataclass(frozen=True)
class _CalibrationPhotos:
    """Photos to calibrate and compare on: uint8 (n, size, size, 3), and labels where all are known."""

    pixels: NDArray[np.uint8]
    labels: list[int] | None
    failed: int


@dataclass(frozen=True)
class Shrink:
    """Pool stage: photo -> the network's input as uint8 (size, size, 3)."""

    spec: Preprocess
    limits: Limits

    def start(self) -> Callable[[Photo], NDArray[np.uint8] | Failure]:
        from sorter.photos.decode import Decoder

        decode = Decoder(self.spec.min_side, self.limits)

        def shrink(photo: Photo) -> NDArray[np.uint8] | Failure:
            decoded = decode(photo.path)
            return decoded if isinstance(decoded, Failure) else self.spec(decoded.pixels)

        return shrink


def export_folder(options: ExportOptions, progress: Progress | None = None) -> ExportResult:
    """Write model.onnx; with photos to calibrate on, model.int8.onnx, too, if it agrees with float32.

    The folder's files are replaced only when all new ones are made.

    Raises:
        ModelError: no model folder, or its model.safetensors is missing or not its own.
        UsageError: too few photos.
        ExportError: ONNX Runtime's float32 logits are not torch's; nothing is replaced.
    """
    progress = progress or NoProgress()
    check_above_zero(workers=options.workers)
    options.limits.check()
    model = read_model(options.model)
    model.path(WEIGHTS)
    replace(model, files={WEIGHTS: model.files[WEIGHTS]}).verify()
    photos = None if options.calibrate is None else _read_photos(options, model, progress)
    progress.say(f"Exporting {model.name} ...")
    network = _network(model)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=model.folder) as folder:
        made = replace(model, folder=Path(folder), files={})
        difference = export_onnx(network, model.preprocess.size, made.folder / ONNX, onnx_spec(model))
        if photos is None:
            (made.folder / ONNX).replace(model.folder / ONNX)
            return ExportResult(write_model(model), difference, 0, 0, False, 0)
        count = min(CALIBRATION, len(photos.pixels) // 2)
        progress.say(f"Quantising on {count} photos and comparing on {len(photos.pixels) - count} others ...")
        inputs = model.preprocess.normalise(photos.pixels)
        batches = [inputs[at : min(at + BATCH, count)] for at in range(0, count, BATCH)]
        quantise(made.folder / ONNX, made.folder / ONNX_INT8, batches)
        shutil.copyfile(model.folder / WEIGHTS, made.folder / WEIGHTS)
        labels = None if photos.labels is None else photos.labels[count:]
        made = check_precisions(write_model(made), [inputs[count:]], labels)
        (made.folder / ONNX).replace(model.folder / ONNX)
        if made.has(ONNX_INT8):
            (made.folder / ONNX_INT8).replace(model.folder / ONNX_INT8)
        else:
            (model.folder / ONNX_INT8).unlink(missing_ok=True)
    written = write_model(replace(model, agreement=made.agreement))
    compared = len(photos.pixels) - count
    return ExportResult(written, difference, count, compared, labels is not None, photos.failed)


def _network(model: Model) -> nn.Module:
    from safetensors.torch import load_file

    from sorter.model.network import build

    network = build(model.backbone, model.outputs)
    try:
        network.load_state_dict(load_file(model.path(WEIGHTS)))
    except RuntimeError as error:
        raise ModelError(
            f"{model.folder}: {WEIGHTS} does not fit the backbone that model.json names "
            f"({str(error).splitlines()[0]}); copy the model folder again"
        ) from error
    return network.eval()


def _read_photos(options: ExportOptions, model: Model, progress: Progress) -> _CalibrationPhotos:
    """Up to 500 photos, all classes in turn, drawn at random with a fixed seed."""
    assert options.calibrate is not None
    root = options.calibrate.resolve()
    folders = [root / name for name in model.classes]
    labelled = all(folder.is_dir() for folder in folders)
    drawn = _in_turn([_shuffled(Scan((each,))) for each in (folders if labelled else [root])])
    workers = options.workers or available_cores()
    limits = worker_limits(options.limits, workers)
    rows: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    failed = 0
    wanted = drawn[: (CALIBRATION + VALIDATION) * 5 // 4]  # some may not decode
    with Pool(Shrink(model.preprocess, limits), workers, limits) as pool:
        results = pool.run(photo for _, photo in wanted)
        for (label, _), result in zip(wanted, results, strict=True):
            progress.advance(1)
            if isinstance(result.outcome, Failure):
                failed += result.outcome.status is Status.FAILED
                continue
            rows.append(result.outcome)
            labels.append(label)
            if len(rows) == CALIBRATION + VALIDATION:
                break
    if len(rows) < MIN_PHOTOS:
        raise UsageError(
            f"--calibrate {options.calibrate}: has {len(rows)} photos that can be decoded, {MIN_PHOTOS} are needed "
            f"({CALIBRATION + VALIDATION} are used); name a folder with more"
        )
    return _CalibrationPhotos(np.stack(rows), labels if labelled else None, failed)


def _shuffled(found: Iterable[Photo | Result[Any]]) -> list[Photo]:
    photos = [photo for photo in found if isinstance(photo, Photo)]
    return [photos[at] for at in np.random.default_rng(0).permutation(len(photos))]


def _in_turn(groups: Sequence[Sequence[Photo]]) -> list[tuple[int, Photo]]:
    """The photos of all groups in turn, each with the number of its group."""
    longest = max(map(len, groups))
    return [
        (number, group[at]) for at in range(longest) for number, group in enumerate(groups) if at < len(group)
    ]

"""Read, verify and write a model folder. Its files are JSON, safetensors and ONNX, none of which can run code."""

from __future__ import annotations

import hashlib
import json
import math
import os
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from sorter.files import NotRegularError, atomic_text, open_regular, sha256_of
from sorter.photos.preprocess import Preprocess
from sorter.types import SorterError, UsageError

FORMAT_VERSION = 1
MODEL_JSON = "model.json"
WEIGHTS = "model.safetensors"
ONNX = "model.onnx"
ONNX_INT8 = "model.int8.onnx"
FAMILIAR = "familiar.safetensors"  # by which `--reject` knows unfamiliar photos
# The backbones of our own. All others have timm's names.
SMALL_CNN, RESNET50V2 = "small-cnn", "resnet50v2"
WEIGHT_FILES = (WEIGHTS, ONNX, ONNX_INT8, FAMILIAR)
MAX_JSON = 4 << 20  # bytes; a description takes some kilobytes
# What an output folder holds besides the classes, and device names of Windows (with any extension).
OWN_NAMES = frozenset({"unsure", "report.csv", "report.html", "report-parts"})
DEVICE_NAMES = frozenset(
    {"con", "nul", "aux", "prn", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)


class ModelError(SorterError):
    """A model folder that is missing, damaged, or from a newer version."""


class ClassNameError(ModelError, UsageError):
    """Class names that cannot be folders side by side."""


@dataclass(frozen=True)
class Embedded:
    """How scores of the smaller pictures that photos hold of themselves compare with scores of the photos.

    Attributes:
        photos: how many held such a picture, and were scored both ways.
        agreement: fraction of them with the same label, where the doubtful ones are decoded in full.
        decoded_again: fraction that was doubtful.
    """

    ENOUGH: ClassVar[int] = 100  # photos for a verdict
    LEAST_AGREEMENT: ClassVar[float] = 0.99

    photos: int
    agreement: float
    decoded_again: float

    @property
    def passed(self) -> bool:
        return self.photos >= self.ENOUGH and self.agreement >= self.LEAST_AGREEMENT


@dataclass(frozen=True)
class Model:
    """A model folder and the content of its model.json.

    Attributes:
        folder: where the model's files are.
        name: for people.
        classes: class names in the order of the network's outputs. The output folders have these names.
            A binary model has two, and one logit, which is that of `positive`.
        positive: the class whose probability a binary model gives; None for more than two classes.
        threshold: a binary model's decision boundary on that probability.
        temperature: logits are divided by it before the sigmoid or softmax (Guo et al. 2017).
        preprocess: how photos become inputs.
        backbone: timm's name for the architecture, and what its head is.
        provenance: where the model came from: data, script, seed, versions.
        agreement: how often each engine and precision gave the label of float32 when the model was made.
        files: file name -> sha256 in hex.
        embedded: how pictures that photos hold of themselves did on photos that were held out; None where nobody tried.
    """

    folder: Path
    name: str
    classes: tuple[str, ...]
    positive: str | None
    threshold: float
    temperature: float
    preprocess: Preprocess
    backbone: dict[str, Any]
    provenance: dict[str, Any] = field(default_factory=dict)
    agreement: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    embedded: Embedded | None = None

    def __post_init__(self) -> None:
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise ModelError(f"{self.folder}: a model has two or more classes, each with a name of its own")
        check_labels(self.folder, self.classes)
        if self.binary and self.positive not in self.classes:
            raise ModelError(f"{self.folder}: positive class {self.positive!r} is none of {self.classes}")
        if not 0 < self.threshold < 1 or not 0 < self.temperature < math.inf:
            raise ModelError(
                f"{self.folder}: threshold must lie within 0..1, temperature be a number above 0"
            )

    @property
    def binary(self) -> bool:
        return len(self.classes) == 2

    @property
    def positive_index(self) -> int:
        """Of the class that a binary model's logit speaks for; 0 for other models."""
        return 0 if self.positive is None else self.classes.index(self.positive)

    @property
    def outputs(self) -> int:
        """How many logits the network gives: one for two classes, else one for each."""
        return 1 if self.binary else len(self.classes)

    @property
    def fingerprint(self) -> str:
        """A hash of everything that can change a score. The name and the threshold cannot."""
        parts = {
            "classes": self.classes,
            "positive": self.positive,
            "temperature": self.temperature,
            "preprocess": self.preprocess.to_json(),
            "weights": self.files.get(ONNX) or self.files.get(WEIGHTS),
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def probabilities(self, logits: tuple[float, ...]) -> tuple[float, ...]:
        """Logits of one photo -> one probability per class, in the order of `classes`."""
        scaled = [value / self.temperature for value in logits]
        if self.binary:
            positive = _sigmoid(scaled[0])
            return tuple(positive if label == self.positive else 1 - positive for label in self.classes)
        top = max(scaled)
        weights = [math.exp(value - top) for value in scaled]
        total = math.fsum(weights)
        return tuple(weight / total for weight in weights)

    def has(self, name: str) -> bool:
        return name in self.files

    def path(self, name: str) -> Path:
        """Raises ModelError where the folder has no such file."""
        if not self.has(name):
            raise ModelError(f"{self.folder}: has no {name}; `sorter export` makes one from {WEIGHTS}")
        return self.folder / name

    def verify(self) -> None:
        """Compare every weight file with its hash. Raises ModelError for the first that differs."""
        for name, expected in self.files.items():
            try:
                actual = sha256_of(self.folder / name)
            except OSError as error:
                raise ModelError(
                    f"{self.folder / name}: {error.strerror}; copy the model folder again"
                ) from error
            if actual != expected:
                raise ModelError(
                    f"{self.folder / name}: is not the file that model.json describes (sha256 differs); "
                    "copy the model folder again"
                )

    def to_json(self) -> dict[str, Any]:
        embedded = {"embedded": asdict(self.embedded)} if self.embedded else {}
        return {
            "format_version": FORMAT_VERSION,
            "name": self.name,
            "classes": list(self.classes),
            "positive_class": self.positive,
            "threshold": self.threshold,
            "calibration": {"temperature": self.temperature},
            "preprocess": self.preprocess.to_json(),
            "backbone": self.backbone,
            "provenance": self.provenance,
            "agreement": self.agreement,
            "files": self.files,
            **embedded,
        }


def read_model(folder: Path) -> Model:
    """Read a model folder's description; `Model.verify` then checks its files.

    Raises:
        ModelError: no such folder, no or damaged model.json, a newer format.
    """
    source = folder / MODEL_JSON
    try:
        data = json.loads(_read_json(source))
    except FileNotFoundError as error:
        raise ModelError(
            f"{folder}: is no model folder (it has no {MODEL_JSON}); name a folder that `sorter train` made"
        ) from error
    except (NotRegularError, RecursionError) as error:
        raise ModelError(f"{source}: is no description of a model; copy the model folder again") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{source}: cannot be read ({error}); copy the model folder again") from error
    version = data.get("format_version") if isinstance(data, dict) else None
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{source}: has format version {version}, this sorter reads {FORMAT_VERSION}; upgrade sorter"
        )
    try:
        files = dict(data["files"])
        if not set(files) <= set(WEIGHT_FILES):
            raise ModelError(
                f"{source}: names files that no model folder has: {sorted(set(files) - set(WEIGHT_FILES))}"
            )
        return Model(
            folder=folder.resolve(),
            name=str(data["name"]),
            classes=tuple(data["classes"]),
            positive=data["positive_class"],
            threshold=float(data["threshold"]),
            temperature=float(data["calibration"]["temperature"]),
            preprocess=Preprocess.from_json(data["preprocess"]),
            backbone=dict(data["backbone"]),
            provenance=dict(data["provenance"]),
            agreement=list(data["agreement"]),
            files=files,
            embedded=Embedded(**data["embedded"]) if data.get("embedded") else None,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{source}: is incomplete or damaged ({error!r}); copy the model folder again"
        ) from error


def _read_json(source: Path) -> str:
    """Never waits for a FIFO, never reads a file that is no description whole."""
    with open_regular(source) as file:
        data = file.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise ValueError(f"more than {MAX_JSON >> 20} MiB")
    return data.decode("utf-8")


def write_model(model: Model) -> Model:
    """Hash the weight files that lie in `model.folder`, then write model.json beside them, whole or not at all."""
    files = {}
    for name in WEIGHT_FILES:
        if (model.folder / name).exists():
            files[name] = sha256_of(model.folder / name)
    model = replace(model, files=files)
    with atomic_text(model.folder / MODEL_JSON) as file:
        file.write(json.dumps(model.to_json(), indent=2) + "\n")
    return model


def _sigmoid(value: float) -> float:
    if value >= 0:
        return 1 / (1 + math.exp(-value))
    return math.exp(value) / (1 + math.exp(value))


def check_labels(where: Path, labels: Sequence[object]) -> None:
    """Class names become folder names, on any system.

    Raises:
        ClassNameError: one cannot be a folder, or two are the same folder somewhere.
    """
    known: dict[str, object] = {}
    for label in labels:
        if not isinstance(label, str) or not _can_be_a_folder(label):
            raise ClassNameError(f"{where}: class name {label!r} cannot be a folder's name; rename the class")
        # macOS and Windows take names that differ in case or in how an accent is written for one.
        folded = unicodedata.normalize("NFC", label).casefold()
        if folded in known:
            raise ClassNameError(
                f"{where}: class names {known[folded]!r} and {label!r} are one folder on some systems; rename one"
            )
        known[folded] = label


def _can_be_a_folder(label: str) -> bool:
    return (
        bool(label)
        and label == label.strip()
        and not label.startswith(".")
        and not label.endswith(".")
        and not any(mark in label for mark in '/\\:*?"<>|')
        and not any(ord(mark) < 32 for mark in label)
        and label.lower() not in OWN_NAMES
        and label.lower().partition(".")[0].strip() not in DEVICE_NAMES
        and len(os.fsencode(label)) <= 200
    )


def shipped_model() -> Path:
    """The folder of the model that ships."""
    from importlib import resources

    return Path(str(resources.files("sorter.weights"))) / "car"

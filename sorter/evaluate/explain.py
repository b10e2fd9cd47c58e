"""`sorter explain`: where a model looked, as pictures and boxes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.files import atomic_text, atomic_write, part_path
from sorter.model.folder import Model, read_model, shipped_model
from sorter.output.disk import free_name
from sorter.photos.listing import Listing
from sorter.photos.rows import FileList, check_sources
from sorter.photos.scan import Scan
from sorter.pipeline.explain import Explainer, Explanation, class_index
from sorter.progress import NoProgress, Progress
from sorter.types import Failure, Limits, Photo, Status, UsageError

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

SHIPPED = "car"
JSON = "explanations.json"
MADE_BY = "sorter explain"
SIDE = 1024  # pixels of a picture's longer side


@dataclass(frozen=True)
class ExplainOptions:
    """The options of `sorter explain`.

    Attributes:
        model: a model folder, or `car` for the one that ships.
        photos: files, and folders of photos; none where `listing` names them.
        out: the folder for pictures and explanations.json; None for none.
        label: the class to explain; None for the one that the model decides on.
        limits: what a photo may cost.
        include_protected: read folders of other programs too, as in `sorter.photos.protected`.
        listing: a list of the photos, instead of `photos`.
    """

    model: Path
    photos: tuple[Path, ...]
    out: Path | None = None
    label: str | None = None
    limits: Limits = field(default_factory=Limits)
    include_protected: bool = False
    listing: FileList | None = None


@dataclass(frozen=True)
class Explained:
    """A photo and where the model looked.

    Attributes:
        path: of the photo.
        outcome: the explanation without its heat map, which would fill the memory, or why there is none.
        picture: the file with the heat over the photo, or None.
    """

    path: Path
    outcome: Explanation | Failure
    picture: Path | None

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"path": str(self.path)}
        if isinstance(self.outcome, Failure):
            return {**data, "status": self.outcome.status.value, "error": str(self.outcome)}
        picture = None if self.picture is None else str(self.picture)
        return {**data, **self.outcome.to_json(), "picture": picture}


@dataclass(frozen=True)
class Explanations:
    """The result of the command, in the order of the photos."""

    model: str
    photos: tuple[Explained, ...]

    @property
    def failed(self) -> bool:
        """Whether a photo could not be decoded."""
        outcomes = [each.outcome for each in self.photos]
        return any(isinstance(each, Failure) and each.status is Status.FAILED for each in outcomes)

    def to_json(self) -> dict[str, Any]:
        return {
            "made_by": MADE_BY,
            "model": self.model,
            "photos": [each.to_json() for each in self.photos],
        }


def explain(options: ExplainOptions, progress: Progress | None = None) -> Explanations:
    """Explain photos one after another, each inference on all cores.

    Raises:
        UsageError: no photos, no such class, or an `out` that holds other files.
        ModelError: the model folder is missing or damaged, or has no model.onnx.
        EngineError: ONNX Runtime cannot run it.
    """
    progress = progress or NoProgress()
    options.limits.check()
    shipped = options.model == Path(SHIPPED) and not options.model.exists()
    model = read_model(shipped_model() if shipped else options.model)
    check_sources("PHOTO", options.photos, options.listing)
    for path in options.photos:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder; name a photo that exists")
    if options.label is not None:
        class_index(model, options.label)  # raises before anything is done
    model.verify()
    _take_folder(options.out)
    found = tuple(_each(options, model, progress))
    if not found:
        where = options.listing.name if options.listing else options.photos[0]
        raise UsageError(f"{where}: holds no photos; name a photo or a folder with some")
    explanations = Explanations(model.name, found)
    if options.out is not None:
        with atomic_text(options.out / JSON) as file:
            file.write(json.dumps(explanations.to_json(), indent=2) + "\n")
    return explanations


def scan_of(options: ExplainOptions) -> Scan | Listing:
    """The scan of the photos, or the files of the list."""
    if options.listing is not None:
        return Listing(options.listing, leave_out=options.out)
    roots = tuple(path.absolute() for path in options.photos)
    return Scan(roots, leave_out=options.out, include_protected=options.include_protected)


def _each(options: ExplainOptions, model: Model, progress: Progress) -> Iterator[Explained]:
    explainer = Explainer(model, limits=options.limits)
    for item in scan_of(options):
        if not isinstance(item, Photo):
            assert isinstance(item.outcome, Failure)
            yield Explained(item.photo.path, item.outcome, None)
            continue
        outcome = explainer(item.path, options.label)
        picture = None
        if options.out is not None and isinstance(outcome, Explanation):
            picture = _picture(options, item.path, outcome)
        progress.advance(1)
        if isinstance(outcome, Explanation):
            outcome = replace(outcome, heat=outcome.heat[:0].copy())
        yield Explained(item.path, outcome, picture)


def _picture(options: ExplainOptions, path: Path, found: Explanation) -> Path | None:
    from sorter.photos.decode import Decoder
    from sorter.pipeline.overlay import overlay

    assert options.out is not None
    decoded = Decoder(SIDE, options.limits)(path)
    if isinstance(decoded, Failure):  # the file has changed since
        return None
    target = free_name(options.out / f"{path.stem}.png", Path.exists)
    with atomic_write(target) as part:
        overlay(decoded.pixels, found, SIDE).save(part, "PNG", pnginfo=_mark())
    return target


def _mark() -> PngInfo:
    """The mark by which a later call knows a picture of ours, also where this one is killed before its list."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Software", MADE_BY)
    return info


def _take_folder(out: Path | None) -> None:
    """Make the folder, or take one of an earlier call and remove what that wrote.

    Raises:
        UsageError: it holds something else, or cannot be made.
    """
    if out is None:
        return
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        files = sorted(out.iterdir())
        ours = {path for path in files if _is_ours(path)}
    except OSError as error:
        raise UsageError(f"--out {out}: cannot be used ({error.strerror}); name another folder") from error
    others = [path for path in files if path not in ours]
    if others:
        raise UsageError(
            f"--out {out}: holds {others[0].name}, which `sorter explain` did not write; name another folder"
        )
    for path in ours:
        path.unlink()


def _is_ours(path: Path) -> bool:
    """Whether an earlier call wrote the file, or left it half written when it was killed."""
    if not path.is_file():
        return False
    if path.name == JSON:
        return _made_by(path) == MADE_BY
    if path.suffix == ".part":
        whole = path.name[1 : -len(".part")]
        return path == part_path(path.with_name(whole)) and (whole == JSON or whole.endswith(".png"))
    return path.suffix == ".png" and _software(path) == MADE_BY


def _made_by(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["made_by"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _software(path: Path) -> object:
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG",)) as image:
            return image.info.get("Software")
    except (OSError, ValueError, SyntaxError):
        return None

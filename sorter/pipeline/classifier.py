"""The model from Python: paths in, one result each out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sorter.engines.choice import Choice, EngineOptions
from sorter.model.folder import Model, read_model, shipped_model
from sorter.model.rule import Rule
from sorter.pipeline import trial
from sorter.pipeline.embedded import choose_embedded
from sorter.pipeline.scoring import classifying
from sorter.system import available_cores, worker_limits
from sorter.types import Failure, Limits, Photo, Reason, Result, Scores


class Classifier:
    """A model and the engine that runs it.

    Example:
        >>> from sorter import Classifier, Failure
        >>> if __name__ == "__main__":  # worker processes import this file again
        ...     for result in Classifier.load().predict(["a.jpg", "b.jpg"]):
        ...         print(result.photo.path, result.outcome)
    """

    def __init__(self, model: Model, choice: Choice, workers: int, limits: Limits) -> None:
        self.model = model
        self.choice = choice
        self._workers = workers
        self._limits = limits

    @classmethod
    def load(
        cls,
        folder: str | Path | None = None,
        *,
        engine: str = "onnx",
        precision: str = "fp32",
        device: str = "cpu",
        workers: int | None = None,
        decode: str = "full",
        timeout_per_file: float = 60.0,
        max_megapixels: float = 250.0,
    ) -> Classifier:
        """Read and verify a model folder; None is the model that ships.

        Args:
            engine: `auto` uses what `sorter run` found fastest on this machine, where it has been run.
            workers: processes; None for one per core.
            decode: `preview` takes the smaller picture that HEIC files and many JPEGs hold. `auto` takes it where
                `sorter run` or the training found that the labels agree.

        Raises:
            ModelError: the folder is missing or damaged.
            EngineError: the engine cannot do what is asked for.
        """
        model = read_model(Path(folder) if folder is not None else shipped_model())
        model.verify()
        workers = workers or available_cores()
        limits = worker_limits(Limits(max_megapixels, timeout_per_file), workers)
        choice = trial.choose_engine(
            model, EngineOptions(engine, precision, device), (), limits, lambda _: None
        )
        choice = choose_embedded(
            model, Rule.of(model), choice, EngineOptions(decode=decode), (), limits, lambda _: None
        )
        return cls(model, choice, workers, limits)

    def predict(self, paths: Iterable[str | Path]) -> Iterator[Result[Scores]]:
        """Stream one result per path, in order; a path that cannot be scored has a `Failure`."""
        with classifying(self.model, self.choice, self._workers, self._limits) as processes:
            yield from processes.run(map(_photo, paths))


def _photo(path: str | Path) -> Photo | Result[Scores]:
    path = Path(path).absolute()
    try:
        status = path.stat()
    except OSError as error:
        photo = Photo(path, Path(path.name), 0, 0)
        reason = Reason.VANISHED if isinstance(error, FileNotFoundError) else Reason.UNREADABLE
        return Result(photo, Failure(reason, error.strerror or str(error)))
    return Photo(path, Path(path.name), status.st_size, status.st_mtime_ns, path.is_symlink())

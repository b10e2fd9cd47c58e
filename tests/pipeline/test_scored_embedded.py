"""Whether pictures that photos hold of themselves are scored in their place, and which photos are decoded after all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from previews import heif, with_preview
from support.embedded import scene, two_halves
from support.models import make_model
from support.photos import BLUE, RED

from sorter import Classifier
from sorter.engines.choice import Choice, EngineOptions
from sorter.model.folder import Embedded, Model, read_model, write_model
from sorter.model.rule import Rule
from sorter.pipeline import embedded
from sorter.pipeline.embedded import MARGIN, MeasureEmbedded, choose_embedded
from sorter.pipeline.stages import Classify
from sorter.types import Failure, Limits, Photo, Scores

PURPLE = (120, 30, 180)
ENGINE = Choice("onnx", "fp32")
AGREES = Embedded(200, 0.995, 0.05)


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return make_model(tmp_path_factory.mktemp("model"))


def told_apart(path: Path, below: tuple[int, int, int]) -> Path:
    """A red photo, whose preview shows another colour below where the two are compared."""
    path.write_bytes(with_preview(two_halves(RED, RED), two_halves(RED, below).resize((400, 300))))
    return path


def scores(model: Model, path: Path, choice: Choice) -> Scores:
    status = path.stat()
    outcome = Classify(model, choice, Limits()).start()(Photo(path, path, status.st_size, status.st_mtime_ns))
    assert isinstance(outcome, Scores)
    return outcome


def test_the_embedded_picture_is_scored_in_the_photos_place(tmp_path: Path, model: Model) -> None:
    photo = told_apart(tmp_path / "a.jpg", BLUE)
    whole, small = scores(model, photo, ENGINE), scores(model, photo, replace(ENGINE, embedded=MARGIN))
    assert whole.probabilities[0] > 0.9 > 0.1 > small.probabilities[0]
    assert (small.width, small.height) == (whole.width, whole.height) == (1600, 1200)


def test_a_photo_near_another_label_is_decoded_itself(tmp_path: Path, model: Model) -> None:
    photo = told_apart(tmp_path / "a.jpg", PURPLE)
    small = scores(model, photo, replace(ENGINE, embedded=0.0))
    assert abs(small.probabilities[0] - model.threshold) < 0.45
    assert scores(model, photo, replace(ENGINE, embedded=0.45)) == scores(model, photo, ENGINE)


@pytest.mark.parametrize(
    ("probability", "near"), [(0.5, True), (0.59, True), (0.61, False), (0.85, True), (0.95, False)]
)
def test_near_is_within_the_margin_of_a_threshold_or_of_an_edge_of_unsure(
    probability: float, near: bool
) -> None:
    rule = Rule(("red", "blue"), "red", 0.5, (0.1, 0.8))
    assert rule.is_near(Scores((probability, 1 - probability), 1, 1), 0.1) is near


def test_of_several_classes_the_two_likeliest_are_compared() -> None:
    rule = Rule(("a", "b", "c"), None, 0.5)
    assert rule.is_near(Scores((0.5, 0.35, 0.15), 1, 1), 0.1)
    assert not rule.is_near(Scores((0.6, 0.35, 0.05), 1, 1), 0.1)


def choose(
    model: Model, decode: str | None = None, photos: Iterator[Photo] | None = None, **rule: bool
) -> Choice:
    settings = replace(Rule.of(model), **rule)
    options = EngineOptions(decode=decode)
    return choose_embedded(model, settings, ENGINE, options, photos or iter(()), Limits(), lambda _: None)


def test_a_short_run_takes_them_only_where_the_model_folder_says_that_labels_agree(model: Model) -> None:
    assert choose(model) == ENGINE
    assert choose(replace(model, embedded=AGREES)) == replace(ENGINE, embedded=MARGIN)
    for poor in (replace(AGREES, agreement=0.98), replace(AGREES, photos=99)):
        assert choose(replace(model, embedded=poor)) == ENGINE


def test_the_flag_decides_where_it_is_given(model: Model) -> None:
    proven = replace(model, embedded=AGREES)
    assert choose(proven, "full") == choose(proven, "cpu") == choose(proven, "gpu") == ENGINE
    assert choose(proven, "auto") == replace(ENGINE, embedded=MARGIN)
    assert choose(model, "preview") == replace(ENGINE, embedded=0.0)


def test_unfamiliar_photos_are_looked_for_in_whole_photos(model: Model) -> None:
    assert choose(replace(model, embedded=AGREES), reject=True) == ENGINE


@pytest.mark.parametrize("agrees", [True, False])
def test_a_long_run_tries_them_on_its_own_photos_once(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch, agrees: bool
) -> None:
    monkeypatch.setattr(embedded, "WORTH_A_TRIAL", 12)
    monkeypatch.setattr(Embedded, "ENOUGH", 10)
    for number in range(12):
        wrong = not agrees and number == 3
        told_apart(tmp_path / f"{number}.jpg", BLUE if wrong else RED)
    files = [(path, path.stat().st_size) for path in sorted(tmp_path.glob("*.jpg"))]
    found = MeasureEmbedded(model, Rule.of(model), ENGINE, tuple(path for path, _ in files), 12)()
    assert found.photos == 12
    assert found.passed is agrees
    photos = [Photo(path, path, size, 0) for path, size in files]
    said: list[str] = []

    def run() -> Choice:
        options = EngineOptions()
        return choose_embedded(model, Rule.of(model), ENGINE, options, iter(photos), Limits(), said.append)

    assert (run().embedded == MARGIN) is agrees
    assert len(said) == 2 and ("not used" in said[1]) is not agrees
    assert run() == run() and len(said) == 2, "the trial is remembered"


def test_a_model_that_is_known_to_agree_is_tried_on_very_long_runs_only(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "WORTH_A_TRIAL", 2)
    monkeypatch.setattr(Embedded, "ENOUGH", 2)
    wrong = [told_apart(tmp_path / f"{number}.jpg", BLUE) for number in range(4)]
    photos = [Photo(path, path, path.stat().st_size, 0) for path in wrong]
    proven = replace(model, embedded=AGREES)
    assert choose(proven, photos=iter(photos)).embedded == MARGIN
    monkeypatch.setattr(embedded, "WORTH_A_CHECK", 4)
    assert choose(proven, photos=iter(photos)).embedded is None


def test_a_model_folder_keeps_the_measure(tmp_path: Path) -> None:
    written = write_model(replace(make_model(tmp_path), embedded=AGREES))
    assert read_model(tmp_path).embedded == written.embedded == AGREES
    assert "embedded" not in make_model(tmp_path / "other").to_json()


def test_from_python(tmp_path: Path, model: Model) -> None:
    photo = told_apart(tmp_path / "a.jpg", BLUE)
    labels = {
        decode: max(zip(result.outcome.probabilities, model.classes, strict=True))[1]
        for decode in ("full", "preview")
        for result in Classifier.load(model.folder, workers=1, decode=decode).predict([photo])
        if not isinstance(result.outcome, Failure)
    }
    assert labels == {"full": "red", "preview": "blue"}


def test_a_heic_is_scored_alike_by_its_thumbnail(tmp_path: Path, model: Model) -> None:
    photo = tmp_path / "a.heic"
    photo.write_bytes(heif(scene()))
    small, whole = (scores(model, photo, replace(ENGINE, embedded=each)) for each in (0.0, None))
    assert small != whole
    assert abs(small.probabilities[0] - whole.probabilities[0]) < 0.05

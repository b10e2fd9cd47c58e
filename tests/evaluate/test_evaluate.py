"""`sorter evaluate`: the same answers as `sorter run`, counted rightly; a report that needs nothing but itself."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from support.commands import Sorter, read_report
from support.pages import check_page
from support.photos import BLUE, RED, make_photo

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")

from sorter.evaluate import plots
from sorter.evaluate.evaluate import write_report
from sorter.evaluate.metrics import compute_metrics
from sorter.photos.dataset import Example
from sorter.reports.page import take_report_folder
from sorter.types import Failure, Photo, Reason, Result, UsageError

FAST = ("--engine", "onnx", "--precision", "fp32", "-j", "1")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten red photos and eight blue ones; two of those in red/ are blue, one in blue/ is red."""
    root = tmp_path_factory.mktemp("labelled")
    for number in range(10):
        make_photo(root / "red" / f"r{number}.png", BLUE if number < 2 else RED, seed=number)
    for number in range(8):
        make_photo(root / "blue" / f"b{number}.png", RED if number == 0 else BLUE, seed=100 + number)
    (root / "red" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a photo")
    (root / "red" / "notes.txt").write_text("not a photo either")
    return root


def test_evaluate_counts_what_run_decides(
    labelled: Path, model: Path, sorter: Sorter, tmp_path: Path
) -> None:
    out = tmp_path / "evaluation"
    done = sorter("evaluate", model, labelled, "--out", out, "--json", *FAST)
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    assert found["confusion"] == [[8, 2], [1, 7]]
    assert found["photos"] == 18
    assert found["errors"] == 3
    assert found["accuracy"]["value"] == pytest.approx(15 / 18)
    assert found["precision"]["value"] == pytest.approx(8 / 9)
    assert found["recall"]["value"] == pytest.approx(8 / 10)
    assert found["failed"] == {"corrupt": 1} or found["failed"] == {"truncated": 1}
    assert found["skipped"] == {"other-file": 1}
    assert json.loads((out / "metrics.json").read_text()) == found

    sorter("run", labelled, "--out", tmp_path / "sorted", "--action", "none")
    rows = {row["path"]: row for row in read_report(tmp_path / "sorted")}
    with (out / "misclassified.csv").open(newline="") as file:
        errors = list(csv.DictReader(file))
    assert {Path(error["path"]).name for error in errors} == {"r0.png", "r1.png", "b0.png"}
    for error in errors:
        row = rows[error["path"]]
        assert error["predicted"] == row["label"]
        of_red = "probability_of_predicted" if error["predicted"] == "red" else "probability_of_label"
        assert error[of_red] == row["probability"]
    worst_first = [float(error["probability_of_label"]) for error in errors]
    assert worst_first == sorted(worst_first)
    with (out / "failures.csv").open(newline="") as file:
        assert sorted(Path(row["path"]).name for row in csv.DictReader(file)) == ["broken.jpg", "notes.txt"]

    page = check_page(out / "report.html")
    assert page.tags.count("svg") == 5
    assert page.tags.count("img") == 3
    assert "red taken for blue" in (out / "report.html").read_text(encoding="utf-8")

    again = sorter("evaluate", model, labelled, "--out", out, *FAST)  # replaces its own files
    assert "10" in again.stdout
    assert "2 of red taken for blue (20.0%)" in again.stdout
    assert "bootstrap" not in again.stderr


def test_of_parts_only_test_counts(model: Path, sorter: Sorter, tmp_path: Path) -> None:
    for part in ("train", "test"):
        for name, colour in (("red", RED), ("blue", BLUE)):
            for number in range(4 if part == "train" else 2):
                make_photo(tmp_path / "data" / part / name / f"{number}.png", colour, seed=number)
    done = sorter("evaluate", model, tmp_path / "data", "--json", *FAST)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["part"], found["photos"], found["errors"]) == ("test", 4, 0)
    assert found["report"] is None


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (("red", "green"), "no folder blue, a folder green, but the classes of colours are red, blue"),
        (("red", "blue", "x"), "a folder x"),
        (("red",), "two or more class folders"),
    ],
)
def test_folders_that_are_not_the_classes_are_refused(folders, said, model, sorter, tmp_path):
    for name in folders:
        make_photo(tmp_path / "data" / name / "a.png")
    done = sorter("evaluate", model, tmp_path / "data")
    assert done.returncode == 2
    assert said in done.stderr


def test_a_report_replaces_nothing_but_a_report(tmp_path: Path) -> None:
    take_report_folder(tmp_path / "new" / "deep", ("report.html",))
    assert (tmp_path / "new" / "deep").is_dir()
    tmp_path = tmp_path / "new" / "deep"
    (tmp_path / "report.html").write_text('<meta name="generator" content="sorter"> old')
    (tmp_path / ".report.html.part").write_text("left by a process that was killed")
    take_report_folder(tmp_path, ("report.html",))
    (tmp_path / "photo.jpg").write_text("dear")
    with pytest.raises(UsageError, match=r"photo\.jpg"):
        take_report_folder(tmp_path, ("report.html",))
    with pytest.raises(UsageError, match="is a file"):
        take_report_folder(tmp_path / "photo.jpg", ("report.html",))
    with pytest.raises(UsageError, match="cannot be made"):
        take_report_folder(tmp_path / "photo.jpg" / "out", ("report.html",))


def thumbnails(photos):
    """A picture for the first, a fault for the others."""
    for number, photo in enumerate(photos):
        yield Result(photo, b"jpeg" if number == 0 else Failure(Reason.VANISHED, "the file is gone"))


@pytest.mark.parametrize(
    "classes", [("a", "b"), ("cat & <b>", "$dog$", "c" * 60), tuple(f"n{i}" for i in range(40))]
)
def test_reports_of_every_kind_of_model(classes: tuple[str, ...], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    n, k = 120, len(classes)
    labels = random.integers(0, k, n)
    logits = random.normal(size=(n, k))
    logits[np.arange(n), labels] += 2
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    positive = classes[0] if k == 2 else None
    metrics = compute_metrics(labels, probabilities, classes, positive, 0.5, resamples=100)
    examples = [
        Example(Photo(tmp_path / f"<{number}>\udcff.jpg", Path(f"{number}.jpg"), 1, 1), int(label))
        for number, label in enumerate(labels)
    ]
    failures = [
        Result(Photo(tmp_path / "bad.jpg", Path("bad.jpg"), 1, 1), Failure(Reason.CORRUPT, "it is <bad>"))
    ]
    rows = [
        {"epoch": e, "train_loss": 1 / e, "val_loss": 1.2 / e, "val_accuracy": 1 - 0.5 / e} for e in (1, 2, 3)
    ]
    written = []
    for folder in ("one", "two"):
        write_report(
            tmp_path / folder,
            metrics,
            examples,
            probabilities,
            about={"Model": "<script>"},
            failures=failures,
            history=rows,
            thumbnails=thumbnails,
        )
        written.append({path.name: path.read_bytes() for path in sorted((tmp_path / folder).iterdir())})
    assert written[0] == written[1], "the same bytes every time"
    assert set(written[0]) == {"metrics.json", "misclassified.csv", "failures.csv", "report.html"}
    page = check_page(tmp_path / "one" / "report.html")
    # Forty classes do not fit into a confusion matrix.
    assert page.tags.count("svg") == 2 + (5 if k < 40 else 4)
    assert "script" not in page.tags
    assert page.tags.count("img") == 1
    json.loads(written[0]["metrics.json"])
    with (tmp_path / "one" / "misclassified.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == metrics.errors


def test_no_error_is_no_proof_that_there_are_none(tmp_path: Path) -> None:
    labels, probabilities = [0, 1] * 50, np.array([[0.9, 0.1], [0.2, 0.8]] * 50)
    metrics = compute_metrics(labels, probabilities, ("a", "b"), "a", 0.5, resamples=100)
    examples = [Example(Photo(tmp_path / "a", Path("a"), 1, 1), label) for label in labels]
    write_report(tmp_path / "out", metrics, examples, probabilities, about={}, thumbnails=thumbnails)
    text = (tmp_path / "out" / "report.html").read_text()
    assert "up to 3 % of" in text
    assert "No photo is misclassified." in text
    check_page(tmp_path / "out" / "report.html")


def test_curves_go_where_the_numbers_are() -> None:
    line = plots.Curve("name", np.linspace(0, 1, 5000), np.linspace(0, 1, 5000))
    svg = plots.curves("Title", [line], "x", "y")
    assert len(svg) < 60_000, "a curve of many points is thinned"
    history = plots.history([{"epoch": 1, "loss": 2.0, "lr": 0.1}, {"epoch": 2, "loss": 1.0, "lr": 0.01}])
    assert [name for name, _ in history] == ["Loss", "Learning rate"]
    assert plots.history([]) == []


def test_a_table_of_labels_takes_the_place_of_class_folders(
    labelled: Path, model: Path, sorter: Sorter, tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    rows = [f"{path},{path.parent.name}" for path in sorted(labelled.rglob("*.png"))]
    table.write_text("\n".join(("path,label", *rows, f"{tmp_path}/gone.png,red")), encoding="utf-8")
    for given in ((table,), ("--from", table)):
        done = sorter("evaluate", model, *given, "--json", *FAST)
        assert done.returncode == 3, done.stderr
        found = json.loads(done.stdout)
        assert found["confusion"] == [[8, 2], [1, 7]]
        assert found["failed"] == {"vanished": 1}
    names = "\0".join(map(str, sorted(labelled.rglob("*.png"))))
    done = sorter("evaluate", model, "--from", "-", "-0", "--json", *FAST, input=names)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["confusion"] == [[8, 2], [1, 7]]
    table.write_text(table.read_text().replace(",blue", ",azure"), encoding="utf-8")
    done = sorter("evaluate", model, table)
    assert done.returncode == 2
    assert "has no label blue, a label azure" in done.stderr
    assert (
        sorter("evaluate", model).returncode
        == sorter("evaluate", model, table, "--from", table).returncode
        == 2
    )

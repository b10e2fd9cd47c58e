"""Output folders as a run leaves them, without a network: the probabilities are given."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from sorter.model.rule import Rule
from sorter.output.filer import Filer, Scored
from sorter.output.journal import Journal, RunSettings
from sorter.output.layout import FLAT, TREE
from sorter.types import ActionKind, Decision, Failure, Photo, Reason, Scores, Status
from support.photos import RED, make_photo

CLASSES = ("red", "blue")


def make_output(
    out: Path, probabilities: list[float], kind: ActionKind = ActionKind.COPY, tree: bool = False
) -> Path:
    """An output folder as a run leaves it, with a photo for each probability of red; no network involved."""
    rule = Rule(CLASSES, "red", 0.5)
    journal = Journal.open(out)
    filer = Filer(journal, kind, TREE if tree else FLAT)
    batch = []
    for number, probability in enumerate(probabilities):
        path = make_photo(
            out.parent / "in" / f"{number % 2}" / f"{number // 2}.png", RED, (8, 8), seed=number
        )
        status = path.stat()
        photo = Photo(path, path.relative_to(out.parent / "in"), status.st_size, status.st_mtime_ns)
        scores = Scores((probability, 1 - probability), 48, 32)
        batch.append(Scored(photo, scores, rule(scores)))
    filer.file(batch)
    with journal.transaction():
        broken = Photo(out.parent / "in" / "broken.jpg", Path("broken.jpg"), 5, 0)
        journal.failed(broken, Failure(Reason.CORRUPT, "the header is damaged"))
        settings = RunSettings(
            model="colours",
            model_folder=None,
            fingerprint="0",
            action=kind,
            layout="tree" if tree else "flat",
            rule=rule,
            inputs=(out.parent / "in",),
        )
        journal.set_run(settings, "done")
    filer.close()
    journal.close()
    return out


def make_journal(out: Path, photos: int) -> Path:
    """A journal of photos that were scored and left where they are; odd ones are red."""
    with closing(Journal.open(out)) as journal, journal.transaction():
        for number in range(1, photos + 1):
            scores = Scores((0.9, 0.1) if number % 2 else (0.1, 0.9), 8, 8)
            photo = Photo(Path(f"/photos/{number}.jpg"), Path(f"{number}.jpg"), 100, number)
            label = "red" if number % 2 else "blue"
            journal.scored(photo, scores, Decision(label, scores.probabilities[0], Status.SORTED), None)
        rule = Rule(CLASSES, "red", 0.5)
        journal.set_run(RunSettings("colours", None, "0", ActionKind.NONE, "flat", rule))
    return out


def make_folder(out: Path, photos: int, classes: tuple[str, ...]) -> Path:
    """An output folder with more or fewer classes, for the window. Its photos are named, but are not on the disk."""
    positive = classes[0] if len(classes) == 2 else None
    rule = Rule(classes, positive, 0.5)
    with closing(Journal.open(out)) as journal, journal.transaction():
        for number in range(photos):
            sure = 0.5 + 0.4 * (number + 1) / photos
            rest = (1 - sure) / (len(classes) - 1)
            place = number % len(classes)
            values = tuple(sure if each == place else rest for each in range(len(classes)))
            scores = Scores(values, 8, 8)
            photo = Photo(Path(f"/photos/{number}.jpg"), Path(f"{number}.jpg"), 100, number)
            journal.scored(photo, scores, rule(scores), None)
        run = {"classes": list(classes), "positive": positive, "rule": [0.5, None], "action": "none"}
        run["inputs"] = ["/photos"]
        journal.set(run=run | {"layout": "flat", "model": "letters", "model_folder": "", "fingerprint": "0"})
    return out

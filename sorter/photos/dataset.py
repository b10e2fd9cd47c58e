"""Read labelled photos from folders, and split them into train, val and test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.photos.fingerprint import MAX_DISTANCE, Fingerprint
from sorter.photos.groups import group_alike, joined, parting_problem
from sorter.photos.protected import OUTPUT_FOLDER, protected_folder
from sorter.photos.scan import Scan, natural_order
from sorter.types import PARTS, Failure, Photo, Reason, Result, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

VAL, TEST = 0.15, 0.15  # shares of all photos that are held out
MIN_EXAMPLES = 4  # of a class: two to train on, one to choose by, one to test with
FOR_FOLDS = 2  # of a class, where folds are made of them instead of a val part


@dataclass(frozen=True, slots=True)
class Example:
    """A photo and its class.

    Attributes:
        photo: the file; `relative` is its path below the data folder.
        label: position of its class in `classes`.
        group: photos with one group stay on one side of a split; empty for a group of its own.
    """

    photo: Photo
    label: int
    group: str = ""


@dataclass(frozen=True)
class Labelled:
    """Examples from elsewhere than class folders, in given parts.

    Attributes:
        classes: names.
        parts: `train`, and `val` and `test` where there are any.
    """

    classes: tuple[str, ...]
    parts: dict[str | None, list[Example]]


@dataclass(frozen=True)
class Dataset:
    """Examples in three parts that share no picture where sorter made the parts itself.

    Attributes:
        root: the folder they came from.
        classes: names, in natural order.
        train: what the network learns from.
        val: what checkpoints, the threshold and the temperature are chosen by.
        test: what none of that has seen; empty where the folders name other parts but no test.
        exact_duplicates: photos whose very bytes another photo has.
        near_duplicates: photos that look like another but are not the same bytes.
        conflicts: photos that look like one of another class.
        leaks: photos of val and test that look like one of train or share its group; only where the parts were given.
    """

    root: Path
    classes: tuple[str, ...]
    train: tuple[Example, ...]
    val: tuple[Example, ...]
    test: tuple[Example, ...]
    exact_duplicates: int = 0
    near_duplicates: int = 0
    conflicts: int = 0
    leaks: int = 0

    def to_json(self) -> dict[str, Any]:
        counts = {
            part: {
                name: sum(each.label == label for each in examples) for label, name in enumerate(self.classes)
            }
            for part, examples in (("train", self.train), ("val", self.val), ("test", self.test))
        }
        return {
            "classes": list(self.classes),
            "photos": counts,
            "exact_duplicates": self.exact_duplicates,
            "near_duplicates": self.near_duplicates,
            "conflicts": self.conflicts,
            "leaks": self.leaks,
        }


def read_folders(
    root: Path,
    least: int = MIN_EXAMPLES,
    include_protected: bool = False,
    say: Callable[[str], None] = lambda message: None,
) -> tuple[tuple[str, ...], dict[str | None, list[Example]]]:
    """List the photos of class folders, or of train/ val/ test/ folders of class folders.

    Hidden folders are no classes. Nor are folders of other programs, as in `sorter.photos.protected`.

    Args:
        root: its subfolders are classes; or `train` and one or more of `val` (`valid`, `validation`) and `test`.
        least: files that a class must have to learn from.
        include_protected: folders of other programs are read, and are classes.
        say: gets a sentence for each reason why folders were left alone.

    Returns:
        Class names in natural order, and the examples of each part in natural order; the one part of plain
        class folders is named None. Nothing has been opened yet: some may prove not to be photos.

    Raises:
        UsageError: no such folder, fewer than two classes, a class with fewer than `least` files to learn from.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: no such folder; name one with a folder of photos for each class")
    reader = _FolderReader(root.resolve(), include_protected)
    try:
        parts = reader.parts()
        classes = reader.classes(parts)
        examples = {part: list(reader.examples(folder, classes)) for part, folder in parts.items()}
    finally:  # it may explain an error
        for sentence in _left_alone(reader.left):
            say(sentence)
    learning = "train" if "train" in examples else None
    check_sizes(parts[learning], classes, examples[learning], least)
    return classes, examples


@dataclass(frozen=True)
class _FolderReader:
    """Reads class folders.

    Attributes:
        root: the data folder, absolute.
        left: folders that were left alone, relative to the data folder, and why.
    """

    root: Path
    include_protected: bool
    left: dict[Path, str] = field(default_factory=dict)

    def parts(self) -> dict[str | None, Path]:
        """The folder of each part; the data folder itself without parts."""
        folders = self._subfolders(self.root)
        if not any(folder.name.lower() == "train" for folder in folders):
            return {None: self.root}
        parts: dict[str | None, Path] = {}
        for folder in folders:
            part = PARTS.get(folder.name.lower())
            if part is None or part in parts:
                raise UsageError(
                    f"{folder}: stands beside train/ but is no part of its own; "
                    "name the parts train, val and test, and put class folders into each"
                )
            parts[part] = folder
        return parts

    def classes(self, parts: dict[str | None, Path]) -> tuple[str, ...]:
        """Names in natural order."""
        names = {folder.name for part in parts.values() for folder in self._subfolders(part)}
        classes = tuple(sorted(names, key=natural_order()))
        if len(classes) < 2:
            found = f"only {classes[0]}" if classes else "no folder"
            raise UsageError(
                f"{self.root}: two or more class folders are needed, there is {found}; make a folder for each class"
            )
        return classes

    def examples(self, part: Path, classes: tuple[str, ...]) -> Iterator[Example]:
        """The photos of one part, class by class."""
        for label, name in enumerate(classes):
            folder = part / name
            if not folder.is_dir() or folder.relative_to(self.root) in self.left:
                continue
            for item in Scan((folder,), include_protected=self.include_protected):
                if not isinstance(item, Result):
                    yield Example(_below(item, self.root), label)
                elif isinstance(item.outcome, Failure) and item.outcome.reason is Reason.PROTECTED:
                    self.left[item.photo.path.relative_to(self.root)] = item.outcome.message

    def _subfolders(self, folder: Path) -> list[Path]:
        """Folders that may be parts or classes. The others are noted in `left`."""
        found = []
        for each in folder.iterdir():
            if not each.is_dir():
                continue
            why = None if self.include_protected else protected_folder(each)
            if each.name.startswith("."):
                why = "its name begins with a dot"
            if why is None:
                found.append(each)
            elif each.name != OUTPUT_FOLDER:
                self.left[each.relative_to(self.root)] = why
        return found


def _left_alone(left: dict[Path, str]) -> Iterator[str]:
    """A sentence for each reason, with the first folders."""
    for why in dict.fromkeys(left.values()):
        names = [path.as_posix() for path, reason in left.items() if reason == why]
        names.sort(key=natural_order())
        more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
        yield f"Left alone: {', '.join(names[:3])}{more} ({why})"


def check_sizes(
    folder: Path, classes: Sequence[str], examples: Iterable[Example], least: int = MIN_EXAMPLES
) -> None:
    """Raises UsageError for the first class with too few examples to learn from."""
    counts = np.bincount([each.label for each in examples], minlength=len(classes))
    for name, count in zip(classes, counts.tolist(), strict=True):
        if count < least:
            held = "is empty" if count == 0 else f"holds only {count} usable photo{'s' * (count > 1)}"
            what = "class" if folder.is_file() else "folder"
            raise UsageError(
                f"{class_place(folder, name)}: {held}, a class needs at least {least}; add photos or remove the {what}"
            )


def class_place(data: Path, name: str) -> str:
    """What messages call the photos of a class: its folder, or the table and the class."""
    return f"{data}: class {name}" if data.is_file() else str(data / name)


def split(
    root: Path,
    classes: tuple[str, ...],
    parts: dict[str | None, list[Example]],
    fingerprints: dict[Path, Fingerprint],
    seed: int = 0,
    val: float = VAL,
    test: float = TEST,
    max_distance: int = MAX_DISTANCE,
    exclude_similar: bool = False,
) -> Dataset:
    """Split examples into train, val and test: stratified, seeded, with near-duplicates in one part.

    Parts that the folders give are kept. A missing val is taken from train.

    Args:
        parts: as `read_folders` gives them.
        fingerprints: by path. Examples without one could not be decoded and are left out.
        seed: another seed gives another split. The order of the files does not matter.
        val: share of all photos; 0 for none.
        test: likewise.
        max_distance: bits, as for `near_duplicates`.
        exclude_similar: leave near-duplicates of given val and test photos out of train.

    Raises:
        UsageError: too few photos of a class that can be decoded, or that do not all look the same.
    """
    usable = {part: [e for e in some if e.photo.path in fingerprints] for part, some in parts.items()}
    learning = "train" if "train" in usable else None
    everything = [(part, example) for part, examples in usable.items() for example in examples]
    alike = group_alike([fingerprints[example.photo.path] for _, example in everything], max_distance)
    groups = joined(alike, [example.group for _, example in everything])
    own = np.array([part == learning for part, _ in everything], bool)
    if exclude_similar:
        kept = np.flatnonzero(~own | ~np.isin(groups, groups[~own]))
        everything, groups, own = [everything[row] for row in kept], groups[kept], own[kept]
        alike = alike[kept]
    own_examples = (example for part, example in everything if part == learning)
    least = MIN_EXAMPLES if "val" in usable or val else FOR_FOLDS
    check_sizes(root if root.is_file() else root / (learning or ""), classes, own_examples, least)
    labels = np.array([example.label for _, example in everything])

    chosen = np.array([part or "train" for part, _ in everything], dtype="<U5")
    shares = {"test": test if learning is None else 0.0, "val": val if "val" not in usable else 0.0}
    for name, rows in _draw(groups[own], labels[own], shares, seed).items():
        chosen[np.flatnonzero(own)[rows]] = name
    problem = parting_problem([example for _, example in everything])
    for part in ("train", "val") if "val" in usable or val else ("train",):
        for label, name in enumerate(classes):
            if not ((chosen == part) & (labels == label)).any():
                raise UsageError(
                    f"{root}: no photo of {name} is left for {part}, as its photos {problem} to be parted; "
                    "add other photos of it, or make train/ and val/ folders yourself"
                )

    examples = [example for _, example in everything]
    return _dataset(root, classes, examples, chosen, groups, alike, fingerprints)


def _dataset(
    root: Path,
    classes: tuple[str, ...],
    examples: list[Example],
    chosen: NDArray[np.str_],
    groups: NDArray[np.int64],
    alike: NDArray[np.int64],
    fingerprints: dict[Path, Fingerprint],
) -> Dataset:
    """Build the record of a split.

    Args:
        chosen: name of the part of each of n examples, shape (n,).
        groups: equal numbers for what belongs on one side, shape (n,).
        alike: equal numbers for near-duplicates, shape (n,).
    """
    picked = {
        part: tuple(examples[row] for row in np.flatnonzero(chosen == part))
        for part in ("train", "val", "test")
    }
    exact = _repeated([fingerprints[example.photo.path].sha256 for example in examples])
    repeated = _repeated(alike.tolist())
    trained = set(groups[chosen == "train"].tolist())
    classes_of: dict[int, set[int]] = {}
    for group, label in zip(alike.tolist(), (example.label for example in examples), strict=True):
        classes_of.setdefault(group, set()).add(label)
    return Dataset(
        root=root,
        classes=classes,
        train=picked["train"],
        val=picked["val"],
        test=picked["test"],
        exact_duplicates=exact,
        near_duplicates=repeated - exact,
        conflicts=sum(len(classes_of[group]) > 1 for group in alike.tolist()),
        leaks=int(sum(group in trained for group in groups[chosen != "train"].tolist())),
    )


def folds(groups: NDArray[np.int64], labels: NDArray[np.int64], k: int, seed: int) -> NDArray[np.int64]:
    """Give each of n photos one of k folds, stratified by label, groups undivided: int64 (n,)."""
    fold = np.zeros(len(groups), np.int64)
    counts = np.zeros((k, int(labels.max()) + 1), np.int64)
    for members in _shuffled(groups, seed):
        label = int(np.bincount(labels[members]).argmax())
        into = int(np.lexsort((counts.sum(1), counts[:, label]))[0])
        fold[members] = into
        counts[into] += np.bincount(labels[members], minlength=counts.shape[1])
    return fold


def _draw(
    groups: NDArray[np.int64], labels: NDArray[np.int64], shares: dict[str, float], seed: int
) -> dict[str, list[int]]:
    """Rows to take out for each part, so many of each class as its share says, at least one; groups undivided."""
    drawn: dict[str, list[int]] = {name: [] for name in shares}
    counts = np.bincount(labels)
    wanted = {
        name: np.maximum(np.rint(counts * share), share > 0).astype(np.int64)
        for name, share in shares.items()
    }
    left: dict[int, int] = {}  # groups of each class that are still to be given; the last one trains
    pieces = _shuffled(groups, seed)
    for members in pieces:
        label = int(np.bincount(labels[members]).argmax())
        left[label] = left.get(label, 0) + 1
    # Small groups go first: a large one that fits no part is then no obstacle, and is trained on.
    for members in sorted(pieces, key=len):
        held = np.bincount(labels[members], minlength=len(counts))
        label = int(held.argmax())
        for name in drawn:
            fits = len(members) <= max(wanted[name][label], 1) or (held <= wanted[name]).all()
            if left[label] > 1 and wanted[name][label] > 0 and fits:
                drawn[name].extend(members.tolist())
                wanted[name] = wanted[name] - held
                left[label] -= 1
                break
    return drawn


def _shuffled(groups: NDArray[np.int64], seed: int) -> list[NDArray[np.int64]]:
    """The rows of each group, the groups in a random order."""
    members: dict[int, list[int]] = {}
    for row, group in enumerate(groups.tolist()):
        members.setdefault(group, []).append(row)
    pieces = [np.array(rows) for rows in members.values()]
    return [pieces[at] for at in np.random.default_rng(seed).permutation(len(pieces))]


def _repeated(keys: Sequence[object]) -> int:
    """The number of keys that occurred before."""
    return len(keys) - len(set(keys))


def _below(photo: Photo, root: Path) -> Photo:
    """The same photo, named as it is seen from the data folder."""
    return Photo(photo.path, photo.path.relative_to(root), photo.size, photo.mtime_ns, photo.is_link)

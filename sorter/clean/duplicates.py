"""Find the files that show the same picture or the same scene, and choose the copy to keep.

The copy to keep is, in this order: one still in its place, one in a folder of `--keep`, one that a person prefers, one
that has no fault to be removed for, the one with the fewest faults, the one with most companions, one in test, then
val, then train, the one with the most pixels, with the most bytes, found first. Every class keeps a copy: only a person
knows which class is right.

Pictures of one scene that differ in one place are `similar`: each of them may show what the others do not.
A file of several frames or pages is a near duplicate only of a file with the same pixels in all of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from sorter.clean.keep import NO_FOLDERS, KeptFolders
from sorter.clean.ledger import CleanLedger
from sorter.clean.likeness import Likeness, likeness
from sorter.clean.records import COPIES, Checked, Examined, Finding, Kind
from sorter.clean.removals import set_size
from sorter.clean.signature import TURNS, read_signature
from sorter.photos.fingerprint import bits_apart, near_duplicates

PARTS = ("test", "val", "train", "")
HASHES = TURNS + 1  # of a picture: four turns, and mirrored
NEAREST = 4  # pictures of a scene, of those compared before, that one is compared with place by place
Rank = Callable[[Checked], tuple[Any, ...]]  # the copy of the least rank is kept
NOT_COMPARED = frozenset({Kind.BROKEN, Kind.UNREADABLE, Kind.JUNK, Kind.OTHER, Kind.SKIPPED})
NEVER_NEAR = NOT_COMPARED | {Kind.UNSUPPORTED}


def mark_duplicates(
    ledger: CleanLedger,
    max_distance: int,
    removed: Collection[Kind],
    prefer: Collection[Path] = (),
    keep: KeptFolders = NO_FOLDERS,
    sets: bool = False,
) -> None:
    """Group duplicates and similar pictures in the ledger, and mark each with the copy to keep.

    Args:
        max_distance: bits in which the perceptual hashes of the same picture may differ, 0 to 16.
        removed: kinds that this run removes. A copy without such a finding is preferred.
        prefer: copies that a person wants kept.
        keep: folders whose copies are kept.
        sets: a copy with companions is preferred.
    """
    size = partial(set_size, ledger=ledger) if sets else _alone
    rank = partial(_rank, removed=removed, prefer=prefer, keep=keep, size=size)
    copies, scenes = _Groups(), _Groups()
    _mark_exact(ledger, rank, copies)
    _mark_near(ledger, max_distance, rank, copies, scenes)
    conflicts: set[int] = set()
    for members in copies.all():
        scenes.join(members)
        if _mark_conflict(ledger, members):
            conflicts.update(members)
    for members in scenes.all():
        _record_group(ledger, members, not conflicts.isdisjoint(members))


class _Groups:
    """Disjoint sets of file ids."""

    def __init__(self) -> None:
        self._of: dict[int, list[int]] = {}

    def join(self, members: Iterable[int]) -> None:
        joined = sorted({each for member in members for each in self._of.get(member, [member])})
        for member in joined:
            self._of[member] = joined

    def all(self) -> list[list[int]]:
        return [members for first, members in sorted(self._of.items()) if members[0] == first]


def _mark_exact(ledger: CleanLedger, rank: Rank, groups: _Groups) -> None:
    for files in ledger.exact_copies():
        files = [each for each in files if _compared(each)]
        if len(files) < 2:
            continue
        identities: dict[tuple[int, int], Checked] = {}
        for kept, rest in _by_class(files, rank):
            for each in (kept, *rest):
                first = identities.setdefault(_identity(each), each)
                if first is not each:
                    finding = Finding(Kind.HARD_LINK, "hard-link", f"the same file as {first.path}")
                    # Across classes both names are kept: the conflict is for a person.
                    ledger.add_finding(each.id, finding, None if each is kept else first.id)
                elif each is not kept:
                    finding = Finding(Kind.DUPLICATE, "duplicate", f"same bytes as {kept.path}")
                    ledger.add_finding(each.id, finding, kept.id)
        groups.join([each.id for each in files])


def _identity(file: Checked) -> tuple[int, int]:
    """Device and inode: equal for the names of one file. A file that is gone or moved has none of its own."""
    try:
        status = file.path.lstat()
    except OSError:
        return (-1, file.id)
    return (status.st_dev, status.st_ino) if status.st_ino else (-1, file.id)


def _mark_near(ledger: CleanLedger, max_distance: int, rank: Rank, copies: _Groups, scenes: _Groups) -> None:
    for rows in _candidates(ledger, max_distance):
        for scene in _scenes([ledger.copies(row) for row in rows], rank):
            for pictures in scene:
                _mark_copies(ledger, pictures, rank)
                copies.join([each.id for each in _joined(pictures)])
            _mark_similar(ledger, scene, rank)
            scenes.join([each.id for pictures in scene for each in _joined(pictures)])


def _mark_copies(ledger: CleanLedger, pictures: Sequence[Sequence[Checked]], rank: Rank) -> None:
    """Mark the files that show one picture. Each content is a list of files of the same bytes."""
    # The kept copy of each content stands for it: the others are marked as its exact copies.
    kept_of = {kept.label: kept for kept, _ in _by_class(_joined(pictures), rank)}
    for files in pictures:
        for first, _ in _by_class(files, rank):
            kept = kept_of[first.label]
            if first.id != kept.id:
                finding = Finding(Kind.NEAR_DUPLICATE, "near-duplicate", f"looks like {kept.path}")
                ledger.add_finding(first.id, finding, kept.id)


def _mark_similar(ledger: CleanLedger, scene: Sequence[Sequence[Sequence[Checked]]], rank: Rank) -> None:
    """Mark the kept copies of the pictures of a scene, but for the best of each class and those in conflict."""
    best: dict[str, Checked] = {}
    pictures_kept = [[first for first, _ in _by_class(_joined(pictures), rank)] for pictures in scene]
    in_conflict = {each.id for kept in pictures_kept if len(kept) > 1 for each in kept}
    for each in sorted(chain.from_iterable(pictures_kept), key=rank):
        first = best.setdefault(each.label, each)
        if first is not each and each.id not in in_conflict:
            finding = Finding(Kind.SIMILAR, "similar", f"the same scene as {first.path}")
            ledger.add_finding(each.id, finding, first.id)


def _joined(pictures: Sequence[Sequence[Checked]]) -> list[Checked]:
    return [each for copies in pictures for each in copies]


def _mark_conflict(ledger: CleanLedger, members: list[int]) -> bool:
    """Mark the kept copies of one picture that lies in several classes; returns whether it does."""
    files = [ledger.get(member) for member in members]
    labels = sorted({each.label for each in files})
    if len(labels) < 2:
        return False
    for each in files:
        if each.duplicate_of is None:
            others = ", ".join(label for label in labels if label != each.label)
            ledger.add_finding(
                each.id, Finding(Kind.CONFLICT, "in-several-classes", f"also in {others}"), None
            )
    return True


def _record_group(ledger: CleanLedger, members: list[int], conflict: bool) -> None:
    files = [ledger.get(member) for member in members]
    exact = len({each.examined.sha256 for each in files if each.examined}) == 1
    similar = any(finding.kind is Kind.SIMILAR for each in files for finding in each.findings)
    ledger.add_group(members, len({each.part for each in files}) > 1, conflict, exact, similar)


def _compared(file: Checked) -> bool:
    return not any(each.kind in NOT_COMPARED for each in file.findings)


def _alone(file: Checked) -> tuple[int, int]:
    return (0, 0)


def _rank(
    file: Checked,
    removed: Collection[Kind],
    prefer: Collection[Path],
    keep: KeptFolders,
    size: Callable[[Checked], tuple[int, int]],
) -> tuple[Any, ...]:
    """The sort key of the copies: the first is kept."""
    own = [each.kind for each in file.findings if each.kind not in COPIES]
    pixels = file.examined.width * file.examined.height if file.examined else 0
    pictures, others = size(file)
    return (
        bool(file.action),
        not keep.hold(file.path),
        file.path not in prefer,
        any(kind in removed for kind in own),
        len(own),
        -pictures,
        -others,
        PARTS.index(file.part),
        -pixels,
        -file.size,
        file.id,
    )


def _by_class(files: Sequence[Checked], rank: Rank) -> list[tuple[Checked, list[Checked]]]:
    """For each class: the copy to keep, and the others."""
    classes: dict[str, list[Checked]] = {}
    for each in sorted(files, key=rank):
        classes.setdefault(each.label, []).append(each)
    return [(members[0], members[1:]) for members in classes.values()]


def _candidates(ledger: CleanLedger, max_distance: int) -> list[list[int]]:
    """Sets of rows with similar hashes, turned or mirrored or not. Memory: 48 bytes a picture."""
    rows, hashes = array("q"), array("Q")
    for row, examined in ledger.records():
        if examined.hashes and not any(each.kind in NEVER_NEAR for each in examined.findings):
            rows.append(row)
            hashes.extend(examined.hashes)
    if not rows:
        return []
    joined: dict[int, set[int]] = {}
    for group in near_duplicates(np.frombuffer(hashes, np.uint64), max_distance):
        members = {position // HASHES for position in group}
        if len(members) > 1:
            for member in list(members):
                members |= joined.get(member, set())
            for member in members:
                joined[member] = members
    unique = {id(members): sorted(members) for members in joined.values()}
    return sorted([rows[at] for at in members] for members in unique.values())


def _scenes(pictures: list[list[Checked]], rank: Rank) -> list[list[list[list[Checked]]]]:
    """Group the candidates by scene, and those of each scene by picture. Matches do not chain.

    The best picture of all begins a scene, and those like it join. The rest is grouped likewise.
    """
    waiting = sorted(pictures, key=lambda copies: min(map(rank, copies)))
    found = []
    while len(waiting) > 1:
        scene, rest = _Scene(waiting[0]), waiting[1:]
        waiting = [each for each in rest if not scene.takes(each)]
        if len(waiting) < len(rest):
            found.append(scene.pictures)
    return found


class _Scene:
    """Pictures of one scene. Each is a list of contents, and a content a list of files of the same bytes.

    Attributes:
        pictures: the best picture first.
    """

    def __init__(self, best: list[Checked]) -> None:
        self.pictures = [[best]]
        self._hashes = array("Q")  # of the others

    def takes(self, copies: list[Checked]) -> bool:
        """Add a content, if it shows the scene: to its picture, or as a new one."""
        picture = _examined(copies)
        in_common = compare(_examined(self.pictures[0][0]), picture)
        if in_common is Likeness.SAME:
            self.pictures[0].append(copies)
        elif in_common is Likeness.SIMILAR:
            self._add(copies, picture)
        return in_common is not Likeness.NONE

    def _add(self, copies: list[Checked], picture: Examined) -> None:
        for at in self._nearest(picture):
            if compare(_examined(self.pictures[at][0]), picture) is Likeness.SAME:
                self.pictures[at].append(copies)
                return
        self.pictures.append([copies])
        self._hashes.extend(picture.hashes)

    def _nearest(self, picture: Examined) -> list[int]:
        """The few pictures but the best whose hashes are nearest: a fixed camera has thousands."""
        if not self._hashes:
            return []
        apart = bits_apart(picture.hashes[0], np.frombuffer(self._hashes, np.uint64))
        nearest = np.argsort(apart.reshape(-1, HASHES).min(1), kind="stable")[:NEAREST]
        return [int(at) + 1 for at in nearest]


def _examined(copies: list[Checked]) -> Examined:
    examined = copies[0].examined
    assert examined is not None, "only examined files are compared"
    return examined


def compare(one: Examined, other: Examined) -> Likeness:
    """What two files have in common, turned or mirrored or not.

    Several frames or pages have to be the same in every pixel: a hash cannot tell one line of text from another.
    """
    if (one.frames, other.frames) != (1, 1):
        same = bool(one.frames_sha256) and one.frames_sha256 == other.frames_sha256
        return Likeness.SAME if same else Likeness.NONE
    aspects = (one.width / max(one.height, 1), other.width / max(other.height, 1))
    return likeness(read_signature(one.signature), read_signature(other.signature), aspects)


def look_the_same(one: Examined, other: Examined) -> bool:
    """Whether two files show the same picture."""
    return compare(one, other) is Likeness.SAME

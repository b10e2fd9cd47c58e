"""Find the files that show the same picture, and choose the copy to keep.

The copy to keep is, in this order: one still in its place, one that a person prefers, one that has no fault to be
removed for, the one with the fewest faults, one in test, then val, then train, the one with the most pixels, with the
most bytes, found first. Every class keeps a copy: only a person knows which class is right.

A file of several frames or pages is a near duplicate only of a file with the same pixels in all of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sorter.clean.ledger import CleanLedger
from sorter.clean.quality import SIGNATURE_SIDE
from sorter.clean.records import Checked, Examined, Finding, Kind
from sorter.photos.fingerprint import near_duplicates

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = ("test", "val", "train", "")
CORRELATION = 0.95  # least correlation of the 8 x 8 pixels of two pictures
DIFFERENCE = 32.0  # largest mean difference of their levels (0..255)
ASPECT = 0.1  # largest relative difference of their aspect ratios
TURNS = 4
Rank = Callable[[Checked], tuple[Any, ...]]  # the copy of the least rank is kept
NOT_COMPARED = frozenset({Kind.BROKEN, Kind.UNREADABLE, Kind.JUNK, Kind.OTHER, Kind.SKIPPED})
NEVER_NEAR = NOT_COMPARED | {Kind.UNSUPPORTED}


def mark_duplicates(
    ledger: CleanLedger, max_distance: int, removed: Collection[Kind], prefer: Collection[Path] = ()
) -> None:
    """Group exact and near duplicates in the ledger, and mark each with the copy to keep.

    Args:
        max_distance: bits in which the perceptual hashes of the same picture may differ, 0 to 16.
        removed: kinds that this run removes. A copy without such a finding is preferred.
        prefer: copies that a person wants kept.
    """
    rank = partial(_rank, removed=removed, prefer=prefer)
    groups = _Groups()
    _mark_exact(ledger, rank, groups)
    _mark_near(ledger, max_distance, rank, groups)
    for members in groups.all():
        _record_group(ledger, members)


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


def _mark_near(ledger: CleanLedger, max_distance: int, rank: Rank, groups: _Groups) -> None:
    for rows in _candidates(ledger, max_distance):
        for pictures in _confirmed([ledger.copies(row) for row in rows], rank):
            # The kept copy of each content stands for it: the others are marked as its exact copies.
            kept_of = {kept.label: kept for kept, _ in _by_class(_joined(pictures), rank)}
            for copies in pictures:
                for first, _ in _by_class(copies, rank):
                    kept = kept_of[first.label]
                    if first.id != kept.id:
                        finding = Finding(Kind.NEAR_DUPLICATE, "near-duplicate", f"looks like {kept.path}")
                        ledger.add_finding(first.id, finding, kept.id)
            groups.join([each.id for each in _joined(pictures)])


def _joined(pictures: Sequence[Sequence[Checked]]) -> list[Checked]:
    return [each for copies in pictures for each in copies]


def _record_group(ledger: CleanLedger, members: list[int]) -> None:
    files = [ledger.get(member) for member in members]
    labels = sorted({each.label for each in files})
    exact = len({each.examined.sha256 for each in files if each.examined}) == 1
    ledger.add_group(members, len({each.part for each in files}) > 1, len(labels) > 1, exact)
    if len(labels) < 2:
        return
    for each in files:
        if each.duplicate_of is None:
            others = ", ".join(label for label in labels if label != each.label)
            ledger.add_finding(
                each.id, Finding(Kind.CONFLICT, "in-several-classes", f"also in {others}"), None
            )


def _compared(file: Checked) -> bool:
    return not any(each.kind in NOT_COMPARED for each in file.findings)


def _rank(file: Checked, removed: Collection[Kind], prefer: Collection[Path]) -> tuple[Any, ...]:
    """The sort key of the copies: the first is kept."""
    own = [each.kind for each in file.findings if each.kind not in (Kind.DUPLICATE, Kind.NEAR_DUPLICATE)]
    pixels = file.examined.width * file.examined.height if file.examined else 0
    return (
        bool(file.action),
        file.path not in prefer,
        any(kind in removed for kind in own),
        len(own),
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
    """Sets of rows with similar hashes in any of four turns. Memory: 40 bytes a picture."""
    rows, hashes = array("q"), array("Q")
    for row, examined in ledger.records():
        if examined.hashes and not any(each.kind in NEVER_NEAR for each in examined.findings):
            rows.append(row)
            hashes.extend(examined.hashes)
    if not rows:
        return []
    joined: dict[int, set[int]] = {}
    for group in near_duplicates(np.frombuffer(hashes, np.uint64), max_distance):
        members = {position // TURNS for position in group}
        if len(members) > 1:
            for member in list(members):
                members |= joined.get(member, set())
            for member in members:
                joined[member] = members
    unique = {id(members): sorted(members) for members in joined.values()}
    return sorted([rows[at] for at in members] for members in unique.values())


def _confirmed(pictures: list[list[Checked]], rank: Rank) -> list[list[list[Checked]]]:
    """Group the candidates that look the same as the best of them, then the rest likewise. Matches do not chain."""
    waiting = sorted(pictures, key=lambda copies: min(map(rank, copies)))
    groups = []
    while len(waiting) > 1:
        best, rest = waiting[0], waiting[1:]
        first = best[0].examined
        assert first is not None
        same = [each for each in rest if each[0].examined and look_the_same(first, each[0].examined)]
        if same:
            groups.append([best, *same])
        waiting = [each for each in rest if not any(each is one for one in same)]
    return groups


def look_the_same(one: Examined, other: Examined) -> bool:
    """Whether two files show the same picture, perhaps turned, by aspect ratio and 8 x 8 pixels.

    Several frames or pages have to be the same in every pixel: a hash cannot tell one line of text from another.
    """
    if (one.frames, other.frames) != (1, 1):
        return bool(one.frames_sha256) and one.frames_sha256 == other.frames_sha256
    left, right = _pixels(one), _pixels(other)
    for turn in range(TURNS):
        width, height = (other.width, other.height) if turn % 2 == 0 else (other.height, other.width)
        if abs(one.width * height / max(one.height * width, 1) - 1) > ASPECT:
            continue
        turned = np.rot90(right, turn)
        if np.abs(left - turned).mean() > DIFFERENCE:
            continue
        a, b = left - left.mean(), turned - turned.mean()
        if (a * b).sum() >= CORRELATION * np.sqrt((a * a).sum() * (b * b).sum()):
            return True
    return False


def _pixels(examined: Examined) -> NDArray[np.float64]:
    """float64 (8, 8, 3)."""
    flat = np.frombuffer(examined.signature, np.uint8).astype(np.float64)
    return flat.reshape(SIGNATURE_SIDE, SIGNATURE_SIDE, 3)

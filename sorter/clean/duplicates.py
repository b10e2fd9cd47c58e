"""Which files show the same picture, and which copy is kept.

Kept is, in this order: what still lies in its place; what a person prefers; what is not to be removed for a fault of
its own; what has the fewest faults; what is in test, then val, then train; the most pixels; the most bytes; the first
found. In every class one copy is kept: of a picture that lies in two classes, nobody but a person knows which is right.
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
CORRELATION = 0.95  # of the 8 x 8 pixels of two pictures, at least
DIFFERENCE = 32.0  # of their levels (0..255), on average, at most
ASPECT = 0.1  # relative difference of their aspect ratios, at most
TURNS = 4
Rank = Callable[[Checked], tuple[Any, ...]]  # the least is kept
NOT_COMPARED = frozenset({Kind.BROKEN, Kind.UNREADABLE, Kind.JUNK, Kind.OTHER, Kind.SKIPPED})


def mark(
    ledger: CleanLedger, max_distance: int, removed: Collection[Kind], prefer: Collection[Path] = ()
) -> None:
    """Group exact and near duplicates in the ledger, and say of each which copy is kept.

    Args:
        max_distance: bits that the perceptual hashes of the same picture may differ in; 0 to 16.
        removed: kinds that this run takes away: a copy that stays is preferred.
        prefer: copies that a person wants kept.
    """
    rank = partial(_rank, removed=removed, prefer=prefer)
    teams = _Teams()
    for files in ledger.exact():
        files = [each for each in files if _compared(each)]
        if len(files) > 1:
            for kept, rest in _by_class(files, rank):
                for each in rest:
                    ledger.find(
                        each.id, Finding(Kind.DUPLICATE, "duplicate", f"same bytes as {kept.path}"), kept.id
                    )
            teams.join([each.id for each in files])
    for rows in _candidates(ledger, max_distance):
        for pictures in _confirmed([ledger.copies(row) for row in rows], rank):
            # Of each content the copy that stays represents it; its own copies are marked already.
            stay = [kept for kept, _ in _by_class([each for copies in pictures for each in copies], rank)]
            kept_of = {each.label: each for each in stay}
            for copies in pictures:
                for first, _ in _by_class(copies, rank):
                    kept = kept_of[first.label]
                    if first.id != kept.id:
                        finding = Finding(Kind.NEAR_DUPLICATE, "near-duplicate", f"looks like {kept.path}")
                        ledger.find(first.id, finding, kept.id)
            teams.join([each.id for copies in pictures for each in copies])
    for members in teams.all():
        files = [ledger.get(member) for member in members]
        labels = sorted({each.label for each in files})
        exact = len({each.examined.sha256 for each in files if each.examined}) == 1
        ledger.team(members, len({each.part for each in files}) > 1, len(labels) > 1, exact)
        if len(labels) > 1:
            for each in files:
                if each.duplicate_of is None:
                    others = ", ".join(label for label in labels if label != each.label)
                    ledger.find(
                        each.id, Finding(Kind.CONFLICT, "in-several-classes", f"also in {others}"), None
                    )


class _Teams:
    """Sets of files that grow together where they meet."""

    def __init__(self) -> None:
        self._of: dict[int, list[int]] = {}

    def join(self, members: Iterable[int]) -> None:
        joined = sorted({each for member in members for each in self._of.get(member, [member])})
        for member in joined:
            self._of[member] = joined

    def all(self) -> list[list[int]]:
        return [members for first, members in sorted(self._of.items()) if members[0] == first]


def _compared(file: Checked) -> bool:
    return not any(each.kind in NOT_COMPARED for each in file.findings)


def _rank(file: Checked, removed: Collection[Kind], prefer: Collection[Path]) -> tuple[Any, ...]:
    """The first is kept."""
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
    """For each class: the copy that is kept, and the others."""
    classes: dict[str, list[Checked]] = {}
    for each in sorted(files, key=rank):
        classes.setdefault(each.label, []).append(each)
    return [(members[0], members[1:]) for members in classes.values()]


def _candidates(ledger: CleanLedger, max_distance: int) -> list[list[int]]:
    """Rows whose hashes are near in any of four turns. Memory: 40 bytes for each picture."""
    rows, hashes = array("q"), array("Q")
    for row, examined in ledger.records():
        if examined.hashes and not any(each.kind in NOT_COMPARED for each in examined.findings):
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
    """Part candidates into those that look like the best of them, and so on with the rest: nothing is chained."""
    waiting = sorted(pictures, key=lambda copies: min(map(rank, copies)))
    groups = []
    while len(waiting) > 1:
        best, rest = waiting[0], waiting[1:]
        first = best[0].examined
        assert first is not None
        alike = [each for each in rest if each[0].examined and look_alike(first, each[0].examined)]
        if alike:
            groups.append([best, *alike])
        waiting = [each for each in rest if not any(each is one for one in alike)]
    return groups


def look_alike(one: Examined, other: Examined) -> bool:
    """Do two pictures look the same, perhaps turned: by their shape and by their 8 x 8 pixels."""
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

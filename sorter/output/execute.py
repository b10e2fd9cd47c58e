"""Planned filings carried out: on disks and in stores, by threads of this process or by another executor."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from sorter.address import Address
from sorter.output import disk, store
from sorter.output.disk import CannotUndo, Filing, Placed
from sorter.output.journal import Filed
from sorter.types import ActionKind

Item = TypeVar("Item")
Made = TypeVar("Made")

THREADS = 4  # copies wait for the disk, not for the processor
STORE_THREADS = 32  # and those in a store for its answers


@dataclass(frozen=True, slots=True)
class Step:
    """A filing to carry out.

    Attributes:
        staging: a path of its own for bytes that are not yet in place, on the output's filesystem.
    """

    filing: Filing
    staging: Path


class Executor(Protocol):
    """Carries out planned filings."""

    def apply(self, steps: Sequence[Step]) -> list[Placed | OSError]:
        """The outcome of each step, in their order. What the system refused is one photo's affair."""


class ThreadExecutor:
    """Carries out filings with threads of this process.

    Args:
        out: the output folder.
    """

    def __init__(self, out: Path) -> None:
        self._count = STORE_THREADS if isinstance(out, Address) else THREADS
        self._threads = ThreadPoolExecutor(self._count, thread_name_prefix="sorter-filing")

    def close(self) -> None:
        self._threads.shutdown()

    def apply(self, steps: Sequence[Step]) -> list[Placed | OSError]:
        """As `Executor.apply`. Each thread takes the next step, as handing one over costs more than a link."""
        waiting = deque(enumerate(steps))
        done: dict[int, Placed | OSError] = {}

        def work(_: int) -> None:
            while waiting:
                try:
                    at, step = waiting.popleft()
                except IndexError:  # another thread was quicker
                    return
                done[at] = attempt(step)

        try:
            list(self._threads.map(work, range(min(self._count, len(steps)))))
        finally:
            waiting.clear()  # after an interrupt no thread goes on
        return [done[at] for at in range(len(steps))]

    def map(self, work: Callable[[Item], Made], items: Sequence[Item]) -> list[Made]:
        """The outcomes of some work of any kind, in the order of the items."""
        return list(self._threads.map(work, items))

    def revert(self, filed: Sequence[Filed], steps: Sequence[Step]) -> list[str | None]:
        """Undo filings. The outcomes are in their order: None, or why a file was left where it is."""
        return list(self._threads.map(lambda each, step: take_back(step, each.placed), filed, steps))

    def recover(
        self, filed: Sequence[Filed], steps: Sequence[Step], go_on: bool
    ) -> list[Placed | OSError | None]:
        """Find out how far unfinished filings came, and carry them out with `go_on`.

        The outcomes are in their order: None for a photo that is not in the output.

        Args:
            steps: of those that were on their way within the output, the step from where they were.
        """
        return list(self._threads.map(lambda each, step: _recover(each, step, go_on), filed, steps))


def attempt(step: Step) -> Placed | OSError:
    """Carry out one filing. What the system refused comes back, as it is one photo's affair."""
    try:
        disk.make_folder(step.staging.parent)
        return _place_of(step.filing).place(step.filing, step.staging)
    except OSError as error:
        return error


def look_again(step: Step) -> Placed | None:
    """Where an earlier process carried out the filing: what lies there. Else None."""
    done = _place_of(step.filing).was_done(step.filing, step.staging)
    return disk.placed_at(step.filing.destination) if done else None


def move_inside(current: Path, destination: Path) -> Filing:
    """Inside the output a photo, or the link to it, is simply renamed."""
    return Filing(ActionKind.MOVE, current, destination)


class _Place(Protocol):
    """What `disk` and `store` both have."""

    def place(self, filing: Filing, staging: Path) -> Placed: ...
    def was_done(self, filing: Filing, staging: Path) -> bool: ...
    def revert(self, filing: Filing, placed: Placed, staging: Path) -> None: ...
    def was_reverted(self, filing: Filing, staging: Path) -> bool: ...


def _place_of(filing: Filing) -> _Place:
    return store if store.concerns(filing) else disk


def take_back(step: Step, placed: Placed) -> str | None:
    """Undo a filing that left this at its destination. None, or why the file was left where it is."""
    try:
        _place_of(step.filing).revert(step.filing, placed, step.staging)
    except CannotUndo as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
    return None


def _recover(filed: Filed, step: Step, go_on: bool) -> Placed | OSError | None:
    if filed.state == "undoing":
        return None if _place_of(step.filing).was_reverted(step.filing, step.staging) else filed.placed
    done = look_again(step)
    return attempt(step) if done is None and go_on else done

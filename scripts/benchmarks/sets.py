"""Sets of photos that the benchmarks sort, clean and show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from photos import KINDS, Kind, link_set, make_set

from benchmarks.figures import figure
from benchmarks.harness import say


@dataclass(frozen=True)
class PhotoSet:
    """A folder of photos of one kind.

    Attributes:
        kind: size, and how they are made.
        folder: where they are.
        paths: of the photos, in order.
    """

    kind: Kind
    folder: Path
    paths: tuple[Path, ...]

    def first(self, n: int | None) -> PhotoSet:
        """The set of its first `n` photos, as links. The set itself where it has no more."""
        if n is None or n >= len(self.paths):
            return self
        folder = self.folder.with_name(f"{self.folder.name}-{n}")
        paths = [folder / path.name for path in self.paths[:n]]
        pairs = zip(paths, self.paths, strict=False)
        if not all(link.exists() and link.samefile(path) for link, path in pairs):
            link_set(folder, list(self.paths), n)
        return replace(self, folder=folder, paths=tuple(paths))

    @property
    def kilobytes(self) -> float:
        """Mean size of a file."""
        return sum(path.stat().st_size for path in self.paths) / len(self.paths) / 1e3

    def __str__(self) -> str:
        return f"{self.kind.recipe}; {len(self.paths)} files, {figure(self.kilobytes)} kB on average"


def make_sets(work: Path, counts: Mapping[str, int], *, all_different: bool = False) -> dict[str, PhotoSet]:
    """Make a set for each name of a kind, or take the one that an earlier benchmark left in `work`.

    Args:
        counts: name of a kind -> photos.
        all_different: render every photo instead of cutting many from one picture.
    """
    sets = {}
    for name, count in counts.items():
        say(f"making {count} {name} photos in {work}")
        kind = replace(KINDS[name], originals=count) if all_different else KINDS[name]
        sets[name] = PhotoSet(kind, work / name, tuple(make_set(work / name, kind, count)))
    return sets


def size_of(kind: str) -> str:
    """Megapixels of a kind, as the tables show them."""
    return str(KINDS[kind])

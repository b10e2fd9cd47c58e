"""Photos that belong on one side of a split: those that look alike, and those of one patient, film or session."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sorter.photos.fingerprint import MAX_DISTANCE, Fingerprint, near_duplicates
from sorter.types import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sorter.photos.dataset import Example

FOLDER, COLUMN = "folder", "column"
Parts = dict["str | None", "list[Example]"]


def group_alike(fingerprints: Sequence[Fingerprint], max_distance: int = MAX_DISTANCE) -> NDArray[np.int64]:
    """Number photos so that exact and near duplicates share a number: int64 (n,)."""
    groups = np.arange(len(fingerprints))
    for members in near_duplicates([each.phash for each in fingerprints], max_distance):
        groups[members] = members[0]
    return groups


def groups_of(
    examples: Sequence[Example], fingerprints: Mapping[Path, Fingerprint], max_distance: int = MAX_DISTANCE
) -> NDArray[np.int64]:
    """Number examples so that those that look alike, or have one `group`, share a number: int64 (n,)."""
    alike = group_alike([fingerprints[example.photo.path] for example in examples], max_distance)
    return joined(alike, [example.group for example in examples])


def parting_problem(examples: Sequence[Example]) -> str:
    """What keeps a class on one side, for a message: its photos ..."""
    return "are of too few groups" if any(each.group for each in examples) else "look too much alike"


def joined(groups: NDArray[np.int64], names: Sequence[str]) -> NDArray[np.int64]:
    """Groups that share a name become one: int64 (n,). An empty name joins nothing.

    Args:
        groups: int64 (n,), each number a row of its group.
        names: n of them.
    """
    parent = list(range(len(groups)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    first: dict[str, int] = {}
    for row, (group, name) in enumerate(zip(groups.tolist(), names, strict=True)):
        parent[root(row)] = root(group)
        if name:
            parent[root(row)] = root(first.setdefault(name, row))
    return np.array([root(row) for row in range(len(groups))], np.int64)


def with_groups(parts: Parts, by: str | None, in_class_folders: bool) -> Parts:
    """The examples with the groups that `--group-by` asks for. None keeps those of the table.

    Args:
        by: `folder`, `column`, or a regular expression that is searched for in `Photo.relative`. Its first group in
            brackets, or else all that it matches, names the group.
        in_class_folders: the photos lie in class folders. Then `folder` means the folders below the class.

    Raises:
        UsageError: no photo has a group, or the expression cannot be read.
    """
    if by is None:
        return parts
    if by == COLUMN:
        return _checked(parts, "the table has no column group, or it is empty; name another --group-by")
    if by == FOLDER:
        names = {each.photo.path: _folder(each, part, in_class_folders) for part, each in _examples(parts)}
        found = _named(parts, names)
        return _checked(
            found, "no photo lies in a folder below its class folder; sort them into one for each group"
        )
    try:
        pattern = re.compile(by)
    except re.error as error:
        raise UsageError(
            f"--group-by {by}: is no regular expression ({error}); give folder, column or one"
        ) from error
    names = {each.photo.path: _matched(pattern, each.photo.relative) for _, each in _examples(parts)}
    return _checked(_named(parts, names), f"{by!r} matches the path of no photo; try it on one of them")


def _examples(parts: Parts) -> Iterable[tuple[str | None, Example]]:
    return ((part, each) for part, some in parts.items() for each in some)


def _named(parts: Parts, names: Mapping[Path, str]) -> Parts:
    return {
        part: [replace(each, group=names[each.photo.path]) for each in some] for part, some in parts.items()
    }


def _checked(parts: Parts, problem: str) -> Parts:
    if not any(each.group for _, each in _examples(parts)):
        raise UsageError(f"--group-by: {problem}")
    return parts


def _folder(example: Example, part: str | None, in_class_folders: bool) -> str:
    folders = example.photo.relative.parts[:-1]
    return "/".join(folders[1 + (part is not None) :] if in_class_folders else folders)


def _matched(pattern: re.Pattern[str], relative: Path) -> str:
    match = pattern.search(relative.as_posix())
    if match is None:
        return ""
    return (match[1] if pattern.groups else match[0]) or ""

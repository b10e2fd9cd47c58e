"""Roots -> photos: streaming, in natural order, with every entry accounted for."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.types import Failure, Photo, Reason, Result, UsageError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


@dataclass(frozen=True)
class Scan:
    """What to look through, and what to leave out.

    Attributes:
        roots: folders and files, absolute.
        exclude: patterns with the meaning they have in a `.gitignore`, relative to each root.
        leave_out: a folder that is never entered nor mentioned: the output, which may lie inside the input.
        follow_symlinks: enter folders that are symbolic links.
        hidden: look at names that begin with a dot as well.
    """

    roots: tuple[Path, ...]
    exclude: tuple[str, ...] = ()
    leave_out: Path | None = None
    follow_symlinks: bool = False
    hidden: bool = False

    def __iter__(self) -> Iterator[Photo | Result[Any]]:
        """Yield a `Photo` for each file to decode, and a failed `Result` for each entry that is passed over.

        A folder that is passed over gives one result, however much it holds. Memory: the names of one
        folder and of its parents.

        Raises:
            UsageError: a root that does not exist, or a pattern that cannot be read.
        """
        walk = _Walk(self, compile_patterns(self.exclude), natural_order(), self._left_out())
        for root in self.roots:
            try:
                status = root.stat()
            except OSError as error:
                raise UsageError(f"{root}: {error.strerror}; name a folder or a photo that exists") from error
            if stat.S_ISDIR(status.st_mode):
                walk.shown_below = Path(root.name) if len(self.roots) > 1 else Path()
                walk.root = root
                if walk.enters(status):
                    yield from walk.folder(root)
            else:
                yield _file(root, Path(root.name), status, root.is_symlink())

    def _left_out(self) -> tuple[int, int] | None:
        # By its identity, as the same folder may be reached under another name.
        if self.leave_out is None or not self.leave_out.exists():
            return None
        status = self.leave_out.stat()
        return status.st_dev, status.st_ino


class _Walk:
    """One pass over the roots, and the folders it has been in."""

    def __init__(
        self,
        scan: Scan,
        spec: GitIgnoreSpec | None,
        order: Callable[[str], Any],
        left_out: tuple[int, int] | None,
    ) -> None:
        self.scan = scan
        self.spec = spec
        self.order = order
        self.left_out = left_out
        self.visited: set[tuple[int, int]] = set()
        self.root = Path()
        self.shown_below = Path()

    def enters(self, status: os.stat_result) -> bool:
        """Note a folder down; False where it was entered before."""
        identity = (status.st_dev, status.st_ino)
        new = identity not in self.visited
        self.visited.add(identity)
        return new

    def folder(self, folder: Path) -> Iterator[Photo | Result[Any]]:
        relative = folder.relative_to(self.root)
        try:
            with os.scandir(folder) as entries:
                names = sorted((entry.name for entry in entries), key=self.order)
        except OSError as error:
            shown = self.shown_below / relative
            yield passed_over(folder, shown, Reason.UNREADABLE, error.strerror or str(error))
            return
        folders = []
        for name in names:
            path, shown = folder / name, self.shown_below / relative / name
            try:
                link = path.lstat()
                status = path.stat() if stat.S_ISLNK(link.st_mode) else link
            except OSError as error:
                reason = Reason.VANISHED if isinstance(error, FileNotFoundError) else Reason.UNREADABLE
                yield passed_over(path, shown, reason, error.strerror or str(error))
                continue
            is_folder, is_link = stat.S_ISDIR(status.st_mode), status is not link
            if is_folder and (status.st_dev, status.st_ino) == self.left_out:
                continue
            if refused := self._refused(relative / name, is_folder, is_link):
                yield passed_over(path, shown, *refused, status)
            elif not is_folder:
                yield _file(path, shown, status, is_link)
            elif self.enters(status):
                folders.append(path)
            else:
                message = "this folder was already looked through under another name"
                yield passed_over(path, shown, Reason.FOLDER_LOOP, message, status)
        for path in folders:  # files first, so that what is on top of a folder is on top of the report
            yield from self.folder(path)

    def _refused(self, relative: Path, is_folder: bool, is_link: bool) -> tuple[Reason, str] | None:
        if relative.name.startswith(".") and not self.scan.hidden:
            return Reason.HIDDEN, "the name begins with a dot; --hidden looks at it"
        if self.spec and self.spec.match_file(relative.as_posix() + ("/" if is_folder else "")):
            return Reason.EXCLUDED, "matches --exclude"
        if is_folder and is_link and not self.scan.follow_symlinks:
            return Reason.SYMLINK, "a symbolic link to a folder; --follow-symlinks enters it"
        return None


def _file(path: Path, shown: Path, status: os.stat_result, is_link: bool) -> Photo | Result[Any]:
    if not stat.S_ISREG(status.st_mode):
        return passed_over(path, shown, Reason.SPECIAL_FILE, "not a regular file", status)
    return Photo(path, shown, status.st_size, status.st_mtime_ns, is_link)


def passed_over(
    path: Path, relative: Path, reason: Reason, message: str, status: os.stat_result | None = None
) -> Result[Any]:
    """The one row of an entry that is not decoded."""
    size, mtime_ns = (status.st_size, status.st_mtime_ns) if status else (0, 0)
    return Result(Photo(path, relative, size, mtime_ns, False), Failure(reason, message))


def compile_patterns(patterns: Iterable[str]) -> GitIgnoreSpec | None:
    """`--exclude` patterns -> a matcher, or None where there are none."""
    patterns = list(patterns)
    if not patterns:
        return None
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        raise UsageError(f"--exclude: {error}; patterns are written as in a .gitignore") from error


def natural_order() -> Callable[[str], Any]:
    """A sort key that puts IMG_9 before IMG_10; names that differ only by case keep a fixed order."""
    from natsort import natsort_keygen, ns

    key = natsort_keygen(alg=ns.IGNORECASE)
    return lambda name: (key(name), name)

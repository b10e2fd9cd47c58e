"""Find photos in folders: streaming, in natural order, with a result for every entry."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.address import SORTED_NAMES, Address, in_order
from sorter.photos.protected import marks_in, protected_content, protected_folder, protected_name
from sorter.photos.sets import Families, Item, families, joined
from sorter.types import Failure, Photo, Reason, Result, UsageError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

EMPTY_PART = "%2F"
NO_PATH = "what is below it has an empty name or a dot for one in its key; rename it in the store"
SEEN = "this folder was already looked through under another name"


@dataclass(frozen=True)
class Scan:
    """Folders to search, and what to leave out.

    Attributes:
        roots: folders and files, absolute.
        exclude: patterns as in a `.gitignore`, relative to each root.
        leave_out: a folder that is never entered nor reported: the output, which may be inside the input.
        follow_symlinks: enter folders that are symbolic links.
        hidden: include names that begin with a dot.
        include_protected: enter folders of other programs, as in `sorter.photos.protected`. A root is always entered.
        companions: a photo holds its companions, as in `sorter.photos.companions`. Else each file is by itself.
    """

    roots: tuple[Path, ...]
    exclude: tuple[str, ...] = ()
    leave_out: Path | None = None
    follow_symlinks: bool = False
    hidden: bool = False
    include_protected: bool = False
    companions: bool = False

    def __iter__(self) -> Iterator[Item]:
        """Yield a `Photo` for each file to decode, and a failed `Result` for each entry that is skipped.

        A skipped folder gives one result. A root inside another root is searched once, in its own turn. Memory: the
        names of one folder, and of the folders still to be entered.

        Raises:
            UsageError: a root that does not exist, or a pattern that cannot be read.
        """
        roots = dict.fromkeys(self.roots)
        left_out = self.leave_out.resolve() if self.leave_out else None
        walk = _Walk(self, compile_patterns(self.exclude), natural_order(), left_out, roots.keys())
        for root in roots:
            try:
                status = root.stat()
            except OSError as error:
                raise UsageError(f"{root}: {error.strerror}; name a folder or a photo that exists") from error
            if stat.S_ISDIR(status.st_mode):
                yield from walk.root(root, status, Path(root.name) if len(roots) > 1 else Path())
            else:
                yield from walk.file(root, status)


@dataclass(frozen=True)
class _Walk:
    """One pass over the roots, with the folders it has entered."""

    scan: Scan
    spec: GitIgnoreSpec | None
    order: Callable[[str], Any]
    left_out: Path | None
    roots: Collection[Path]
    visited: set[tuple[int, int]] = field(default_factory=set)
    families: Families = field(default_factory=Families)
    came: set[Path] = field(default_factory=set)

    def root(self, root: Path, status: os.stat_result, shown: Path) -> Iterator[Item]:
        """Everything below a root, except other roots, with paths relative to the folder `shown`."""
        if not self._enters(status):
            yield passed_over(root, shown, Reason.FOLDER_LOOP, SEEN, status)
            return
        waiting = [(root, Path())]
        while waiting:  # not by recursion: folders can be nested deeper than Python's stack
            folder, relative = waiting.pop()
            inner: list[tuple[Path, Path]] = []
            yield from self._folder(folder, relative, shown, inner)
            # Files first, so that what is on top of a folder is on top of the report.
            waiting.extend(reversed(inner))

    def _folder(
        self, folder: Path, relative: Path, shown: Path, inner: list[tuple[Path, Path]]
    ) -> Iterator[Item]:
        """The entries of one folder. Folders to enter next are appended to `inner`."""
        if isinstance(folder, Address):
            yield from self._listed(folder, relative, shown, inner)
            return
        try:
            with os.scandir(folder) as entries:
                names = sorted((entry.name for entry in entries), key=self.order)
        except OSError as error:
            yield passed_over(folder, shown / relative, *_trouble(error))
            return
        if relative.parts and (why := self._protected(names)):
            yield passed_over(folder, shown / relative, Reason.PROTECTED, why, _status(folder))
            return
        yield from self._items(folder, names, lambda name: self._entry(folder, relative, shown, inner, name))

    def _entry(
        self, folder: Path, relative: Path, shown: Path, inner: list[tuple[Path, Path]], name: str
    ) -> Item | None:
        """An entry of a folder on a disk; None for a folder to enter, which is appended to `inner`."""
        path, shown_as = folder / name, shown / relative / name
        try:
            status, is_link, trouble = _looked_at(path)
        except OSError as error:
            return passed_over(path, shown_as, *_trouble(error))
        is_folder = stat.S_ISDIR(status.st_mode)
        if is_folder and self._is_left_out(path, is_link):
            return None
        if refused := self._refused(relative, path, is_folder, is_link) or trouble:
            return passed_over(path, shown_as, *refused, status)
        if not is_folder:
            return _file(path, shown_as, status, is_link)
        if not self._enters(status):
            return passed_over(path, shown_as, Reason.FOLDER_LOOP, SEEN, status)
        inner.append((path, relative / name))
        return None

    def _items(
        self, folder: Path, names: Sequence[str], entry: Callable[[str], Item | None]
    ) -> Iterator[Item]:
        """What the entries of a folder are, but for those that are roots and come in their own turn."""
        others = self._roots_in(folder)
        if others and self.scan.companions:
            others |= {name for other in others for name in families(names).get(other, ())}
        if others:
            names = [name for name in names if name not in others]
        if self.scan.companions:
            yield from joined(names, entry, opens=not isinstance(folder, Address))
        else:
            yield from (item for item in map(entry, names) if item is not None)

    def file(self, root: Path, status: os.stat_result) -> Iterator[Item]:
        """A root that is a file, with its companions; nothing where it came with an earlier root."""
        item = _file(root, Path(root.name), status, root.is_symlink())
        if not self.scan.companions or not isinstance(item, Photo) or item.is_link:
            yield item
            return
        if root in self.came:
            return
        names = self.families.of(root)
        self.came.update(root.with_name(name) for name in names)
        opens = not isinstance(root, Address)
        for each in joined(names, lambda name: self._neighbour(root.with_name(name)), opens):
            found = each.photo if isinstance(each, Result) else each
            its = (found.path.name, *(companion.name for companion in found.companions))
            if any(root.with_name(name) in self.roots for name in its):
                yield each

    def _neighbour(self, path: Path) -> Item | None:
        """A file of a root's set. It need not be a root itself."""
        status = path.lstat()
        named = path in self.roots
        if not named and (not stat.S_ISREG(status.st_mode) or self._is_excluded(path.name)):
            return None
        is_link = stat.S_ISLNK(status.st_mode)
        return _file(path, Path(path.name), path.stat() if is_link else status, is_link)

    def _listed(
        self, folder: Address, relative: Path, shown: Path, inner: list[tuple[Path, Path]]
    ) -> Iterator[Item]:
        """As `_folder`, for a store, which has only files and folders."""
        entries = in_order(folder.entries(), self.order)
        head = list(islice(entries, SORTED_NAMES + 1))
        names: Iterable[str] = (name for name, _ in head)
        if len(head) > SORTED_NAMES:  # a mark may come after the head
            names = marks_in(folder)
        if relative.parts and (why := self._protected(names)):
            yield passed_over(folder, shown / relative, Reason.PROTECTED, why)
            return
        while head:
            part = dict(head)

            def entry(name: str, part: dict[str, os.stat_result] = part) -> Item | None:
                return self._object(folder, relative, shown, inner, name, part[name])

            yield from self._items(folder, [*part], entry)
            head = list(islice(entries, SORTED_NAMES))

    def _object(
        self,
        folder: Address,
        relative: Path,
        shown: Path,
        inner: list[tuple[Path, Path]],
        name: str,
        status: os.stat_result,
    ) -> Item | None:
        """As `_entry`, of a store."""
        path, is_folder = folder / (name or EMPTY_PART), stat.S_ISDIR(status.st_mode)
        if is_folder and path == self.left_out:
            return None
        if name in ("", "."):
            return passed_over(path, shown / relative / path.name, Reason.UNREADABLE, NO_PATH, status)
        if refused := self._refused(relative, path, is_folder, False):
            return passed_over(path, shown / relative / name, *refused, status)
        if not is_folder:
            return _file(path, shown / relative / name, status, False)
        inner.append((path, relative / name))
        return None

    def _roots_in(self, folder: Path) -> set[str]:
        """Names of the entries of this folder that are roots."""
        return {root.name for root in self.roots if root.parent == folder}

    def _enters(self, status: os.stat_result) -> bool:
        """Record a folder. False if it was entered before."""
        identity = (status.st_dev, status.st_ino)
        new = identity not in self.visited
        self.visited.add(identity)
        return new

    def _is_left_out(self, path: Path, is_link: bool) -> bool:
        """Whether a folder is the output, or a link into it. Sorted photos are not sorted again."""
        if self.left_out is None:
            return False
        if is_link and self.left_out in path.resolve().parents:
            return True
        # By its identity, as the same folder may be reached under another name.
        return self.left_out.exists() and path.samefile(self.left_out)

    def _is_excluded(self, name: str) -> bool:
        return self.spec is not None and bool(self.spec.match_file(name))

    def _refused(self, folder: Path, path: Path, is_folder: bool, is_link: bool) -> tuple[Reason, str] | None:
        """The reason not to enter or decode an entry of a folder, which is given relative to its root."""
        name, why = path.name, protected_name(path.name) if is_folder else None
        if name.startswith(".") and not self.scan.hidden:
            flags = "--hidden with --include-protected" if why else "--hidden"
            return Reason.HIDDEN, f"the name begins with a dot; {flags} looks at it"
        if self._is_excluded((folder / name).as_posix() + ("/" if is_folder else "")):
            return Reason.EXCLUDED, "matches --exclude"
        if is_folder and is_link and not self.scan.follow_symlinks:
            return Reason.SYMLINK, "a symbolic link to a folder; --follow-symlinks enters it"
        if is_folder and not self.scan.include_protected:
            why = why or (self._protected_target(path) if is_link else None)
            return (Reason.PROTECTED, why) if why else None
        return None

    def _protected(self, names: Iterable[str]) -> str | None:
        """Why a folder below a root is left alone for the names in it."""
        return None if self.scan.include_protected else protected_content(names)

    def _protected_target(self, link: Path) -> str | None:
        """Why a link to a folder is not followed: its target is, or lies in, a protected folder outside the roots."""
        target = link.resolve()
        for folder in (target, *target.parents):
            if any(root.is_relative_to(folder) for root in self.roots):
                return None
            if why := protected_folder(folder):
                return why
        return None


def named_file(path: Path, shown: Path) -> Photo | Result[Any]:
    """The item of a file that a list names. A folder is no file, and is not entered.

    Args:
        shown: what `Photo.relative` is to be.
    """
    try:
        status, is_link, trouble = _looked_at(path)
    except OSError as error:
        return passed_over(path, shown, *_trouble(error))
    if trouble:
        return passed_over(path, shown, *trouble, status)
    if stat.S_ISDIR(status.st_mode):
        return passed_over(path, shown, Reason.UNREADABLE, "is a folder; a list names files", status)
    return _file(path, shown, status, is_link)


def _looked_at(path: Path) -> tuple[os.stat_result, bool, tuple[Reason, str] | None]:
    """The status of a file, a link's target where it is one; whether it is a link; why that leads nowhere.

    Raises:
        OSError: it cannot be looked at.
    """
    link = path.lstat()
    is_link = stat.S_ISLNK(link.st_mode)
    status, trouble = _followed(path, link) if is_link else (link, None)
    return status, is_link, trouble


def _followed(path: Path, link: os.stat_result) -> tuple[os.stat_result, tuple[Reason, str] | None]:
    """The status of a link's target. For a broken link its own status, and the reason."""
    try:
        return path.stat(), None
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return link, (Reason.SYMLINK, "a symbolic link that leads nowhere")
        return link, _trouble(error)


def _status(folder: Path) -> os.stat_result | None:
    try:
        return folder.stat()
    except OSError:
        return None


def _trouble(error: OSError) -> tuple[Reason, str]:
    gone = isinstance(error, (FileNotFoundError, NotADirectoryError))
    return Reason.VANISHED if gone else Reason.UNREADABLE, error.strerror or str(error)


def _file(path: Path, shown: Path, status: os.stat_result, is_link: bool) -> Item:
    if not stat.S_ISREG(status.st_mode):
        return passed_over(path, shown, Reason.SPECIAL_FILE, "not a regular file", status)
    return Photo(path, shown, status.st_size, status.st_mtime_ns, is_link)


def passed_over(
    path: Path, relative: Path, reason: Reason, message: str, status: os.stat_result | None = None
) -> Result[Any]:
    """The result of an entry that is not decoded."""
    size, mtime_ns = (status.st_size, status.st_mtime_ns) if status else (0, 0)
    return Result(Photo(path, relative, size, mtime_ns, False), Failure(reason, message))


def compile_patterns(patterns: Iterable[str]) -> GitIgnoreSpec | None:
    """Compile `--exclude` patterns to a matcher. None without patterns.

    Raises:
        UsageError: a pattern is invalid.
    """
    patterns = list(patterns)
    if not patterns:
        return None
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(patterns)
    except ValueError as error:
        raise UsageError(f"--exclude: {error}; patterns are written as in a .gitignore") from error


def natural_order() -> Callable[[str], Any]:
    """A sort key that puts IMG_9 before IMG_10. Names that differ only by case have a fixed order, too."""
    from natsort import natsort_keygen, ns

    key = natsort_keygen(alg=ns.IGNORECASE)
    return lambda name: (key(name), name)

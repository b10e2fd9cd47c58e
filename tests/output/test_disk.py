"""Nothing is overwritten, nothing is lost: each action by itself, with every way it can be found after a crash."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sorter.output import disk
from sorter.output.disk import CannotUndo, FileIdentity, Filing, fit_name, free_name
from sorter.types import ActionKind

KINDS = [kind for kind in ActionKind if kind is not ActionKind.NONE]


def filing(kind: ActionKind, folder: Path) -> Filing:
    source = folder / "in" / "photo.jpg"
    source.parent.mkdir(exist_ok=True)
    source.write_bytes(b"the photo")
    status = source.stat()
    return Filing(kind, source, folder / "out" / "car" / "photo.jpg", FileIdentity.of(status))


@pytest.mark.parametrize("kind", KINDS)
def test_apply_and_revert(tmp_path: Path, kind: ActionKind) -> None:
    what, staging = filing(kind, tmp_path), tmp_path / "1.part"
    placed = disk.place(what, staging)
    assert what.destination.read_bytes() == b"the photo"
    assert what.source.exists() == (kind is not ActionKind.MOVE)
    assert disk.was_done(what, staging)
    disk.revert(what, placed, staging)
    assert what.source.read_bytes() == b"the photo"
    assert not os.path.lexists(what.destination)
    assert disk.was_reverted(what, staging)
    assert not staging.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_apply_never_overwrites(tmp_path: Path, kind: ActionKind) -> None:
    what, staging = filing(kind, tmp_path), tmp_path / "1.part"
    what.destination.parent.mkdir(parents=True)
    what.destination.write_bytes(b"somebody else's")
    with pytest.raises(FileExistsError):
        disk.place(what, staging)
    assert what.destination.read_bytes() == b"somebody else's"
    assert what.source.read_bytes() == b"the photo"
    assert not staging.exists()
    assert not disk.was_done(what, staging)
    assert what.destination.read_bytes() == b"somebody else's"


@pytest.mark.parametrize("kind", KINDS)
def test_was_done_when_nothing_happened(tmp_path: Path, kind: ActionKind) -> None:
    what, staging = filing(kind, tmp_path), tmp_path / "1.part"
    staging.write_bytes(b"the ph")  # killed while copying
    assert not disk.was_done(what, staging)
    assert not staging.exists()
    assert what.source.read_bytes() == b"the photo"


def test_move_stopped_between_copy_and_delete_is_finished(tmp_path: Path) -> None:
    what, staging = filing(ActionKind.MOVE, tmp_path), tmp_path / "1.part"
    what.destination.parent.mkdir(parents=True)
    what.destination.write_bytes(
        b"the photo"
    )  # verified and renamed on another filesystem; not yet deleted here
    assert disk.was_done(what, staging)
    assert not what.source.exists()
    assert what.destination.read_bytes() == b"the photo"


def test_move_stopped_between_link_and_unlink_is_finished(tmp_path: Path) -> None:
    what, staging = filing(ActionKind.MOVE, tmp_path), tmp_path / "1.part"
    what.destination.parent.mkdir(parents=True)
    os.link(what.source, what.destination)
    assert disk.was_done(what, staging)
    assert not what.source.exists()


def test_revert_refuses_what_would_lose_a_photo(tmp_path: Path) -> None:
    staging = tmp_path / "1.part"
    copied = filing(ActionKind.COPY, tmp_path)
    placed = disk.place(copied, staging)
    copied.source.unlink()
    with pytest.raises(CannotUndo, match="last copy"):
        disk.revert(copied, placed, staging)
    copied.source.write_bytes(b"other size")
    with pytest.raises(CannotUndo, match="only copy of the older"):
        disk.revert(copied, placed, staging)
    copied.source.write_bytes(b"the photo")
    copied.destination.write_bytes(b"touched up")
    with pytest.raises(CannotUndo, match="changed since it was copied"):
        disk.revert(copied, placed, staging)
    copied.destination.unlink()
    with pytest.raises(CannotUndo, match="no longer in the output"):
        disk.revert(copied, placed, staging)


@pytest.mark.parametrize("refusal", [errno.EINVAL, errno.ENOSYS])
@pytest.mark.parametrize("links", [True, False])
def test_renaming_on_filesystems_with_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: int, links: bool
) -> None:
    def no_link(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(disk, "_native_rename", lambda: lambda source, destination: refusal)
    if not links:
        monkeypatch.setattr(os, "link", no_link)
    source, destination = tmp_path / "a", tmp_path / "b"
    source.write_bytes(b"a")
    disk.rename_without_replacing(source, destination)
    assert destination.read_bytes() == b"a" and not source.exists()
    source.write_bytes(b"second")
    with pytest.raises(FileExistsError):
        disk.rename_without_replacing(source, destination)
    assert destination.read_bytes() == b"a" and source.read_bytes() == b"second"


def test_move_across_filesystems_verifies_before_it_deletes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what, staging = filing(ActionKind.MOVE, tmp_path), tmp_path / "1.part"
    real = disk.rename_without_replacing

    def other_filesystem(source: Path, destination: Path) -> None:
        if source == what.source:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(source, destination)

    monkeypatch.setattr(disk, "rename_without_replacing", other_filesystem)
    with monkeypatch.context() as patch:
        patch.setattr(disk.filecmp, "cmp", lambda *_, **__: False)
        with pytest.raises(OSError, match="differs"):
            disk.place(what, staging)
    assert what.source.read_bytes() == b"the photo"
    assert not what.destination.exists() and not staging.exists()
    disk.place(what, staging)
    assert what.destination.read_bytes() == b"the photo"
    assert not what.source.exists() and not staging.exists()


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=60
).filter(lambda name: name not in (".", ".."))


@settings(deadline=None)
@given(NAMES, st.integers(1, 300))
def test_free_name_is_the_first_that_is_free(name: str, copies: int) -> None:
    taken: set[Path] = set()
    for number in range(1, copies + 1):
        path = free_name(Path("out", name), taken.__contains__)
        assert path not in taken
        assert path.parent == Path("out")
        assert len(os.fsencode(path.name)) <= 255
        stem, extension = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
        if number > 1 and len(os.fsencode(name)) < 240:
            assert path.name == f"{stem} ({number}){extension}"
        taken.add(path)


@given(st.text(st.characters(exclude_characters="/\0."), min_size=1, max_size=300), st.integers(2, 10**6))
def test_long_names_are_cut_at_characters(stem: str, number: int) -> None:
    stem = stem.encode("utf-8", "replace").decode()
    name = fit_name(stem + ".jpg", f" ({number})")
    assert len(os.fsencode(name)) <= 255
    assert name.endswith(f" ({number}).jpg")
    assert stem.startswith(name.removesuffix(f" ({number}).jpg"))

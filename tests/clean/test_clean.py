"""`sorter clean`: the right verdict for every file, and nothing taken away that should have stayed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import damage
import pytest
from damage import encode, picture
from PIL import Image, ImageFilter
from support.cleaning import Rows, jpeg, look, put
from support.commands import Sorter, hashes

from sorter.clean.examine import Examine
from sorter.clean.options import CleanOptions
from sorter.clean.records import Examined
from sorter.clean.remove import has_journal
from sorter.clean.run import clean
from sorter.sort.undo import undo
from sorter.types import Limits, Photo, SorterError, UsageError

# -- damage ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[Path, frozenset[str]], Path, Rows]:
    root = tmp_path_factory.mktemp("suite") / "files"
    wanted = damage.write(root)
    _, rows = look(root, remove=(), similarity=0)
    return wanted, root, rows


def own(row: dict[str, str]) -> str:
    """The verdict without what the others have to do with it: the suite is made of a few pictures."""
    return "ok" if row["verdict"] in ("duplicate", "near-duplicate", "similar") else row["verdict"]


def test_every_damaged_file_is_found_and_no_healthy_one(
    suite: tuple[dict[Path, frozenset[str]], Path, Rows],
) -> None:
    wanted, root, rows = suite
    assert len(rows) == len(wanted) > 120
    wrong = {
        name: (row["verdict"], row["reasons"])
        for name, row in rows.items()
        if own(row) not in wanted[root / name]
    }
    assert not wrong


def test_reasons_say_what_is_wrong(suite: tuple[dict[Path, frozenset[str]], Path, Rows]) -> None:
    _, _, rows = suite
    for name, expected in {
        "bad-text.png": "bad-checksum (chunk 'tEXt')",
        "stray-bytes.jpg": "stray bytes after the end",
        "baseline-empty.jpg": "empty",
        "page.jpg": "it looks like a web page",
        "png-zeros.png": "nothing but zero bytes",
        "bomb.png": "megapixels",
        "no-end.gif": "the trailer is missing",
    }.items():
        assert expected in rows[f"damaged/{name}"]["reasons"], name


def test_quick_finds_what_structure_tells(tmp_path: Path) -> None:
    root = tmp_path / "in"
    data = encode(picture(1), "PNG")
    put(root / "cut.png", data[: len(data) // 2])
    put(root / "bad.png", data[:4000] + bytes(100) + data[4100:])
    put(root / "good.png", data)
    summary, rows = look(root, quick=True, remove=())
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "cut.png": "broken",
        "bad.png": "broken",
        "good.png": "ok",
    }
    assert (rows["good.png"]["width"], rows["good.png"]["luma_mean"]) == ("320", "")
    assert summary.examined == 3


CRASHES = """
import sys
if any("spawn_main" in argument for argument in sys.orig_argv):
    import ctypes, time
    import sorter.photos.decode
    whole = sorter.photos.decode.Decoder.__call__
    def faulty(self, path, data=None):
        if "segfault" in path.name:
            ctypes.string_at(0)
        if "hang" in path.name:
            ctypes.PyDLL(None).sleep(3600)
        return whole(self, path, data)
    sorter.photos.decode.Decoder.__call__ = faulty
"""


def test_a_decoder_that_crashes_or_hangs_costs_one_file(tmp_path: Path, sorter: Sorter) -> None:
    root, site = tmp_path / "in", tmp_path / "site"
    for number, name in enumerate(("a.jpg", "segfault.jpg", "b.jpg", "hang.jpg", "c.jpg")):
        put(root / name, jpeg(number))
    site.mkdir()
    (site / "sitecustomize.py").write_text(CRASHES)
    env = {**os.environ, "PYTHONPATH": str(site)}
    done = sorter("clean", root, "-j", "2", "--timeout-per-file", "5", "--json", env=env)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["counts"] == {"unsupported": 2, "ok": 3}
    assert summary["reasons"]["unsupported"] == {"decoder-crashed": 1, "timeout": 1}
    # Another decoder, or more time, may read them: they stay.
    assert summary["actions"] == {}
    assert sorted(hashes(root)) == ["a.jpg", "b.jpg", "c.jpg", "hang.jpg", "segfault.jpg"]


# -- names -----------------------------------------------------------------------------------------------------


def test_names_junk_and_what_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "photo.png", jpeg(0))
    put(root / "photo", jpeg(1))
    put(root / "photo.JPEG", jpeg(2))
    put(root / "Thumbs.db", b"\xd0\xcf\x11\xe0")
    put(root / ".DS_Store", b"\0\0\0\1Bud1")
    put(root / "README.txt", b"about these")
    put(root / "notes.txt", b"about those")
    put(root / "new.jxl", b"II\xbc" + bytes(50))
    put(root / "new.jpg", b"8BPS" + bytes(50))
    put(root / "camera.nef", encode(picture(3), "TIFF"))
    put(root / ".hidden.jpg", jpeg(4))
    (root / "link.jpg").symlink_to(root / "photo.JPEG")
    summary, rows = look(root)
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "photo.png": "misnamed",
        "photo": "misnamed",
        "photo.JPEG": "ok",
        "Thumbs.db": "junk",
        ".DS_Store": "junk",
        "README.txt": "junk",
        "notes.txt": "other",
        "new.jxl": "unsupported",
        "new.jpg": "unsupported",
        "camera.nef": "unsupported",
        ".hidden.jpg": "skipped",
        "link.jpg": "ok",
    }
    assert not summary.actions and summary.quarantine is None
    assert not has_journal(tmp_path / "in-quarantine")


def test_fix_extensions_never_overwrites(tmp_path: Path) -> None:
    root = tmp_path / "in"
    for seed, name in enumerate(("a.png", "a.jpg", "b.tar", "c")):
        put(root / name, jpeg(seed))
    before = hashes(root)
    put(root / "broken.png", b"\xff\xd8\xff and no more")  # misnamed, too, but moved away
    summary, rows = look(root, fix_extensions=True)
    after = hashes(root)
    assert sorted(after) == ["a (2).jpg", "a.jpg", "b.tar.jpg", "c.jpg"]
    assert sorted(after.values()) == sorted(before.values())
    assert after["a (2).jpg"] == before["a.png"] and after["a.jpg"] == before["a.jpg"]
    assert rows["a.png"]["destination"] == str(root / "a (2).jpg")
    assert summary.actions == {"quarantined": 1, "renamed": 3}
    again, rows = look(root, fix_extensions=True)
    assert {name: row["verdict"] for name, row in rows.items() if name != "broken.png"} == dict.fromkeys(
        after, "ok"
    )
    assert len(rows) == 5 and again.would_remove == 0
    put(root / "a.png", b"somebody else's by now")
    undone = undo(tmp_path / "in-quarantine")
    assert undone.restored == 3 and [left.path.name for left in undone.left] == ["a (2).jpg"]
    assert (root / "a.png").read_bytes() == b"somebody else's by now"
    (root / "a.png").unlink()
    assert undo(tmp_path / "in-quarantine").restored == 1
    assert hashes(root) == {**before, "broken.png": hashes(root)["broken.png"]}


def test_fix_extensions_leaves_right_names(tmp_path: Path) -> None:
    root = tmp_path / "in"
    right = {
        "JPEG": "mpo MPO jps thm THM insp pjpeg jfif jif jpe jpeg",
        "PNG": "apng png",
        "TIFF": "tif TIFF btf ptif lsm svs",
        "AVIF": "avif avifs",
        "HEIF": "heic heics heifs hif",
    }
    for seed, (format, suffixes) in enumerate(right.items()):
        for number, suffix in enumerate(suffixes.split()):
            put(root / f"{format}{number}.{suffix}", encode(picture(seed * 20 + number), format))
    put(root / "stereo.mpo", encode(picture(90), "MPO", save_all=True, append_images=[picture(91)]))
    before = hashes(root)
    summary, rows = look(root, fix_extensions=True, similarity=0)
    assert {name: row["verdict"] for name, row in rows.items()} == dict.fromkeys(before, "ok")
    assert not summary.actions and hashes(root) == before


def test_undo_removes_no_folder_outside_the_quarantine(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "deep" / "a.png", jpeg(0))
    look(root, fix_extensions=True)
    (root / "deep" / "a.jpg").unlink()
    assert [left.path for left in undo(tmp_path / "in-quarantine").left] == [root / "deep" / "a.jpg"]
    assert (root / "deep").is_dir()


# -- poor ------------------------------------------------------------------------------------------------------


def test_poor_photos_with_what_they_measure(tmp_path: Path) -> None:
    root = tmp_path / "in"
    image = picture(0)
    for name, each in {
        "small.png": picture(1).resize((30, 40)),
        "wide.png": picture(2, 600, 100),
        "blank.png": Image.new("RGB", (300, 200), (90, 120, 60)),
        "two-levels.png": Image.new("L", (300, 200), 20),
        "dark.png": image.point(lambda value: value // 8),
        "bright.png": image.point(lambda value: 231 + value // 11),
        "blurry.png": image.filter(ImageFilter.GaussianBlur(6)),
        "good.png": picture(5),
    }.items():
        if name == "two-levels.png":
            each.paste(200, (0, 0, 20, 200))
        put(root / name, encode(each, "PNG"))
    _, rows = look(root, similarity=0)
    reasons = {name: row["reasons"].split(" ")[0] for name, row in rows.items()}
    assert reasons == {
        "small.png": "too-small",
        "wide.png": "extreme-aspect",
        "blank.png": "blank",
        "two-levels.png": "low-information",
        "dark.png": "dark",
        "bright.png": "bright",
        "blurry.png": "blurry",
        "good.png": "",
    }
    assert {row["verdict"] for name, row in rows.items() if name != "good.png"} == {"poor"}
    assert float(rows["blurry.png"]["sharpness"]) < 0.015 < float(rows["good.png"]["sharpness"])
    assert 0 < float(rows["dark.png"]["luma_p99"]) < 0.2


# -- taking away and putting back ------------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Broken files in several folders, some of the same name, among good ones."""
    root = tmp_path / "in"
    for number in range(6):
        put(root / str(number % 3) / f"good{number}.jpg", jpeg(number))
        put(
            root / str(number % 3) / "deeper" / f"bad{number % 2}-{number}.jpg",
            b"\xff\xd8\xff" + bytes([number]) * 90,
        )
    put(root / "bad.jpg", b"")
    return root


def test_broken_files_go_to_quarantine_in_their_folders_and_come_back(mixed: Path) -> None:
    before, quarantine = hashes(mixed), mixed.with_name("in-quarantine")
    summary, rows = look(mixed)
    bad = {name: digest for name, digest in before.items() if "bad" in name}
    assert hashes(quarantine) == bad
    assert hashes(mixed) == {name: digest for name, digest in before.items() if "good" in name}
    assert summary.actions == {"quarantined": 7} and summary.counts == {"broken": 7, "ok": 6}
    assert rows["bad.jpg"]["destination"] == str(quarantine / "bad.jpg")
    again, rows = look(mixed)  # what was taken away keeps its row
    assert again.counts == {"broken": 7, "ok": 6} and again.would_remove == 0
    assert undo(quarantine).restored == 7
    assert hashes(mixed) == before
    assert not list(quarantine.rglob("*.jpg"))
    assert look(mixed)[0].actions == {"quarantined": 7}


def test_a_collision_in_the_quarantine_overwrites_nothing(mixed: Path) -> None:
    quarantine = mixed.with_name("in-quarantine")
    put(quarantine / "bad.jpg", b"somebody else's")
    look(mixed)
    assert (quarantine / "bad.jpg").read_bytes() == b"somebody else's"
    assert (quarantine / "bad (2).jpg").read_bytes() == b""


def test_a_dry_run_touches_nothing(mixed: Path, tmp_path: Path) -> None:
    before = hashes(tmp_path)
    summary = clean(CleanOptions((mixed,), dry_run=True, cache=False, workers=1, fix_extensions=True))
    assert summary.would_remove == 7 and not summary.actions
    assert (hashes(tmp_path), summary.report) == (before, None)


def test_only_what_was_named_is_removed(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "dark.png", encode(picture(0).point(lambda value: value // 8), "PNG"))
    put(root / "broken.jpg", b"")
    put(root / "good.jpg", jpeg(1))
    summary, _ = look(root, remove=("poor",))
    assert summary.actions == {"quarantined": 1}
    assert sorted(hashes(root)) == ["broken.jpg", "good.jpg"]


def test_delete_asks_and_checks(tmp_path: Path, sorter: Sorter) -> None:
    root = tmp_path / "in"
    put(root / "a.jpg", jpeg(0))
    put(root / "b.jpg", jpeg(0))
    put(root / "broken.jpg", b"")
    before = hashes(root)
    flags = ("--action", "delete", "--remove", "broken,duplicates", "-j", "1")
    refused = sorter("clean", root, *flags, stdin=subprocess.DEVNULL)
    assert refused.returncode == 2 and "--yes" in refused.stderr
    given = CleanOptions((root,), remove=("broken", "duplicates"), action="delete", cache=False, workers=1)
    asked: list[int] = []
    clean(given, confirm=lambda count: bool(asked.append(count)))
    assert asked == [2] and hashes(root) == before
    assert clean(given).actions == {} and hashes(root) == before  # nobody to ask
    assert sorter("clean", root, *flags, "--yes").returncode == 0
    assert sorted(hashes(root)) == ["a.jpg"]


def test_a_duplicate_stays_where_its_copy_has_gone(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "a.jpg", jpeg(0))
    put(root / "b.jpg", jpeg(0))

    def meanwhile(_: int) -> bool:
        (root / "a.jpg").write_bytes(jpeg(1))
        return True

    given = CleanOptions((root,), remove=("duplicates",), action="delete", cache=False, workers=1)
    summary = clean(given, confirm=meanwhile)
    assert (root / "b.jpg").exists() and summary.failed == 1


def test_a_near_duplicate_stays_where_its_copy_has_changed(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "a.jpg", jpeg(0, quality=95))
    put(root / "b.jpg", jpeg(0, quality=70))

    def meanwhile(_: int) -> bool:
        (root / "a.jpg").write_bytes(jpeg(1))
        return True

    given = CleanOptions((root,), remove=("near-duplicates",), action="delete", cache=False, workers=1)
    summary = clean(given, confirm=meanwhile)
    assert (root / "b.jpg").exists() and summary.failed == 1


def test_trash(tmp_path: Path, sorter: Sorter) -> None:
    root = tmp_path / "home" / "in"
    put(root / "broken.jpg", b"\xff\xd8\xff and no more")
    put(root / "good.jpg", jpeg(0))
    env = {**os.environ, "HOME": str(tmp_path / "home"), "XDG_DATA_HOME": str(tmp_path / "home" / "share")}
    done = sorter("clean", root, "--action", "trash", "-j", "1", "--json", env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["actions"] == {"trashed": 1}
    assert sorted(hashes(root)) == ["good.jpg"]
    trashed = [path for path in tmp_path.rglob("broken.jpg") if path.is_file()]
    assert len(trashed) == 1


def test_links_are_looked_at_and_never_removed(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "broken.jpg", b"")
    (root / "link.jpg").symlink_to(root / "broken.jpg")
    put(tmp_path / "elsewhere.jpg", jpeg(0))
    (root / "a.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    shutil.copy(tmp_path / "elsewhere.jpg", root / "b.jpg")
    _, rows = look(root, remove=("broken", "duplicates"))
    assert (root / "link.jpg").is_symlink() and (root / "a.jpg").is_symlink() and (root / "b.jpg").exists()
    assert rows["link.jpg"]["verdict"] == "broken" and rows["link.jpg"]["action"] == ""


# -- what a user gets wrong --------------------------------------------------------------------------------------


def test_wrong_usage(tmp_path: Path) -> None:
    root = tmp_path / "in"
    put(root / "a.jpg", jpeg(0))
    put(tmp_path / "clean.csv", b"mine\n")
    with pytest.raises(UsageError, match="--report"):
        look(root)
    assert (tmp_path / "clean.csv").read_bytes() == b"mine\n"
    (tmp_path / "clean.csv").unlink()
    for change, text in (
        ({"remove": ("everything",)}, "--remove"),
        ({"similarity": 17}, "--similarity"),
        ({"quarantine": root}, "--quarantine"),
        ({"inputs": (tmp_path / "nowhere",)}, "no such file"),
        ({"workers": 0}, "--workers"),
    ):
        with pytest.raises(UsageError, match=text):
            look(root, **change)


def test_a_folder_of_sorted_photos_is_no_quarantine(tmp_path: Path, sorter: Sorter) -> None:
    root = tmp_path / "in"
    put(root / "a.jpg", jpeg(0))
    put(root / "b.jpg", b"")
    assert sorter("run", root, "--out", tmp_path / "sorted").returncode == 3
    with pytest.raises(SorterError, match="holds sorted photos"):
        look(root, quarantine=tmp_path / "sorted")
    assert (root / "b.jpg").exists()


def test_check_and_json(tmp_path: Path, sorter: Sorter) -> None:
    root = tmp_path / "in"
    put(root / "a.jpg", jpeg(0))
    assert sorter("clean", root, "--check", "-j", "1").returncode == 0
    put(root / "b.png", jpeg(1))
    done = sorter("clean", root, "--check", "-j", "1", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["counts"] == {"misnamed": 1, "ok": 1}
    assert "misnamed" in sorter("clean", root, "-j", "1").stdout
    assert (
        io.StringIO((tmp_path / "clean.csv").read_text()).readline().startswith("path,verdict,reasons,format")
    )


def test_a_file_too_large_to_look_through_is_judged_by_its_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sorter.clean.examine.LARGEST", 1000)
    whole, cut = put(tmp_path / "whole.jpg", jpeg(1)), put(tmp_path / "cut.jpg", jpeg(2)[:3000])
    examine = Examine(Limits()).start()
    found = {}
    for path in (whole, cut):
        stat = path.stat()
        examined = examine(Photo(path, Path(path.name), stat.st_size, stat.st_mtime_ns))
        assert isinstance(examined, Examined)
        assert examined.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        found[path.name] = [finding.reason for finding in examined.findings]
    assert found == {"whole.jpg": [], "cut.jpg": ["truncated"]}

"""Keywords in XMP sidecars, as text, and read back by exiftool and exiv2 where these are installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.sidecars import LIGHTROOM

from sorter.output.sidecar import sidecar_of
from sorter.output.tags import SidecarError, Tag, TagSettings, add_tags, remove_tags
from sorter.types import UsageError

CAR = TagSettings(("sorter",), (("car", 4),)).tags("car")


def test_a_new_sidecar_has_the_keyword_in_all_three_ways() -> None:
    made = add_tags(None, CAR)
    assert made.added == CAR
    text = made.data.decode()
    assert "<rdf:li>car</rdf:li>" in text
    assert "<rdf:li>sorter|car</rdf:li>" in text
    assert "<rdf:li>sorter/car</rdf:li>" in text
    assert ">4</xmp:Rating>" in text
    assert text.startswith("<?xpacket begin") and text.rstrip().endswith('<?xpacket end="w"?>')


def test_what_is_there_stays_and_nothing_is_written_twice() -> None:
    merged = add_tags(LIGHTROOM, CAR)
    assert [tag.name for tag in merged.added] == ["lr:hierarchicalSubject", "digiKam:TagsList"]
    for kept in (b'xmp:Rating="2"', b"+0.35", b"<!-- mine -->", b"<rdf:li>Rome</rdf:li>", b"Places|Rome"):
        assert kept in merged.data
    again = add_tags(merged.data, CAR)
    assert again.data == merged.data and not again.added


def test_removed_tags_leave_those_of_others() -> None:
    merged = add_tags(LIGHTROOM, CAR)
    edited = merged.data.replace(b"+0.35", b"+1.00")
    left = remove_tags(edited, merged.added)
    assert b"sorter" not in left and b"TagsList" not in left
    assert b"<rdf:li>car</rdf:li>" in left and b"+1.00" in left and b"Places|Rome" in left
    assert remove_tags(left, merged.added) == left
    whole = add_tags(None, CAR)
    assert b"rdf:li" not in remove_tags(whole.data, whole.added)
    assert b"Rating" not in remove_tags(whole.data, whole.added)


def test_a_rating_that_is_an_element_counts() -> None:
    rated = LIGHTROOM.replace(b'xmp:Rating="2"', b"").replace(b"<!-- mine -->", b"<xmp:Rating>1</xmp:Rating>")
    assert b">4</xmp:Rating>" not in add_tags(rated, CAR).data


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_the_encoding_and_the_declaration_stay(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n' + LIGHTROOM.decode().replace("Rome", "Zürich")
    merged = add_tags(text.encode(encoding), CAR).data
    assert "Zürich" in merged.decode(encoding) and "sorter|car" in merged.decode(encoding)
    assert merged.decode(encoding).startswith("<?xml")


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<a/>",
        LIGHTROOM[:300],
        b"\xff" * 20,
        (BOMB + "]><x>&i;</x>").encode(),
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>',
    ],
    ids=["empty", "text", "other XML", "cut", "bytes", "entities", "another file"],
)
def test_what_is_no_sidecar_is_refused(data: bytes) -> None:
    with pytest.raises(SidecarError):
        add_tags(data, CAR)


@pytest.mark.parametrize(("prefix", "ratings"), [("a//b", ()), ("/", ()), ("", ("car",)), ("", ("car=9",))])
def test_wrong_flags_are_named(prefix: str, ratings: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=re.escape("--rating" if ratings else "--tag-prefix")):
        TagSettings.parse(prefix, ratings)


def test_settings_are_kept_as_json() -> None:
    settings = TagSettings.parse("sorter|photos", ("car=5", "not-car=-1", "a=b=0"))
    assert settings == TagSettings(("sorter", "photos"), (("car", 5), ("not-car", -1), ("a=b", 0)))
    assert TagSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings
    assert settings.tags("a|b")[1:] == (
        Tag("lr:hierarchicalSubject", "sorter|photos|a-b"),
        Tag("digiKam:TagsList", "sorter/photos/a-b"),
    )


@pytest.mark.parametrize(
    ("there", "photo", "sidecar"),
    [
        ((), "a.jpg", "a.jpg.xmp"),
        ((), "a.NEF", "a.xmp"),
        (("a.xmp",), "a.jpg", "a.xmp"),
        (("a.xmp", "a.NEF"), "a.jpg", "a.jpg.xmp"),
        (("a.xmp", "a.heic"), "a.jpg", "a.jpg.xmp"),
        (("a.xmp", "a.jpg"), "a.NEF", "a.xmp"),
        (("a.dng",), "a.NEF", "a.NEF.xmp"),
        (("a.jpg.xmp", "a.xmp"), "a.jpg", "a.jpg.xmp"),
    ],
)
def test_a_sidecar_that_two_photos_could_own_goes_with_the_raw(
    tmp_path: Path, there: tuple[str, ...], photo: str, sidecar: str
) -> None:
    for name in (*there, photo):
        (tmp_path / name).touch()
    assert sidecar_of(tmp_path / photo).name == sidecar


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("data", [None, LIGHTROOM], ids=["new", "merged"])
def test_exiftool_reads_the_keywords(tmp_path: Path, data: bytes | None) -> None:
    (tmp_path / "a.xmp").write_bytes(add_tags(data, CAR).data)
    done = subprocess.run(
        ["exiftool", "-j", "-n", "-G0:1", "-struct", tmp_path / "a.xmp"],
        capture_output=True,
        text=True,
        check=True,
    )
    (read,) = json.loads(done.stdout)
    subject, above, tags = (
        read[f"XMP:XMP-{name}"] for name in ("dc:Subject", "lr:HierarchicalSubject", "digiKam:TagsList")
    )
    assert "car" in ([subject] if isinstance(subject, str) else subject)
    assert "sorter|car" in ([above] if isinstance(above, str) else above)
    assert "sorter/car" in ([tags] if isinstance(tags, str) else tags)
    assert read["XMP:XMP-xmp:Rating"] == (4 if data is None else 2)


@pytest.mark.skipif(shutil.which("exiv2") is None, reason="exiv2 is not installed")
@pytest.mark.parametrize("data", [None, LIGHTROOM], ids=["new", "merged"])
def test_exiv2_reads_the_keywords(tmp_path: Path, data: bytes | None) -> None:
    (tmp_path / "a.xmp").write_bytes(add_tags(data, CAR).data)
    done = subprocess.run(["exiv2", "-PXkt", tmp_path / "a.xmp"], capture_output=True, text=True, check=True)
    values = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert "car" in values["Xmp.dc.subject"].split(", ")
    assert "sorter|car" in values["Xmp.lr.hierarchicalSubject"].split(", ")
    assert "sorter/car" in values["Xmp.digiKam.TagsList"].split(", ")

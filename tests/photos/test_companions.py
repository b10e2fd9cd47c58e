"""Which names of a folder are one photo."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sorter.photos.companions import group, number_place

LONG = "a_photo_with_a_very_long_name_from_a_camera_of_200"


def sets(*names: str) -> list[tuple[str, ...]]:
    return [each.names for each in group(names).sets]


@pytest.mark.parametrize(
    ("leader", "others"),
    [
        ("IMG_1.JPG", ("IMG_1.CR2", "IMG_1.xmp")),
        ("IMG_1.heic", ("IMG_1.DNG", "IMG_1.aae")),
        ("a.nef", ("a.nef.xmp", "a.nef.pp3", "a.nef.dop", "a.on1", "a.cos", "a.acr")),
        ("a.CR3", ("a.xmp",)),
        ("a.jpg", ("a.jpg.xmp", "a.xmp", "a.thm", "a.json", "a.txt", "a.wav", "a.m4a")),
        ("a.cr2", ("a_01.cr2.xmp",)),
        ("IMG_1.HEIC", ("IMG_1.MOV",)),
        ("IMG_1.HEIC", ("IMG_1_HEVC.MOV",)),
        ("IMG_1.HEIC", ("IMG_1_3.mov",)),
        ("PXL_20240101_120000123.RAW-01.COVER.jpg", ("PXL_20240101_120000123.RAW-02.ORIGINAL.dng",)),
        (
            "PXL_20240101_120000123.PORTRAIT-01.COVER.jpg",
            ("PXL_20240101_120000123.PORTRAIT-02.ORIGINAL.jpg",),
        ),
        ("PXL_20240101_120000123.MP.jpg", ("PXL_20240101_120000123.MP",)),
        ("PXL_20240101_120000123.jpg", ("PXL_20240101_120000123~2.jpg",)),
        ("IMG_1.jpg", ("IMG_1.jpg.json",)),
        ("IMG_1(1).jpg", ("IMG_1.jpg(1).json",)),
        ("IMG_1.jpg", ("IMG_1-edited.jpg", "IMG_1.jpg.json")),
        ("IMG_1.jpg", ("IMG_1.jpg.supplemental-metadata.json",)),
        ("IMG_1.jpg", ("IMG_1.jpg.supplemental-me.json",)),
        ("IMG_1(2).jpg", ("IMG_1.jpg.supplemental-metadata(2).json",)),
        (f"{LONG[:46]}x.jpg", (f"{LONG[:46]}.json",)),
        (f"{LONG[:46]}x(1).jpg", (f"{LONG[:46]}(1).json",)),
        (f"{LONG[:43]}.jpg", (f"{LONG[:43]}-edi.jpg",)),
        (f"{LONG[:40]}.jpg", (f"{LONG[:40]}.jpg.s.json",)),
        ("IMG_1234.HEIC", ("IMG_E1234.HEIC", "IMG_1234.AAE", "IMG_O1234.AAE", "IMG_E1234.MOV")),
        ("a (2).jpg", ("a (2).cr2", "a (2).jpg.xmp", "a (2)_HEVC.MOV")),
        ("IMG_1(1) (2).jpg", ("IMG_1.jpg(1) (2).json",)),
        ("a.jpg", ("a.psd",)),
    ],
)
def test_these_are_one_photo(leader: str, others: tuple[str, ...]) -> None:
    (found,) = sets(*others, leader)
    assert found[0] == leader
    assert set(found[1:]) == set(others)


@pytest.mark.parametrize(
    "names",
    [
        ("a.jpg", "b.xmp"),
        ("a.jpg", "a.png"),
        ("IMG_1.jpg", "IMG_10.cr2", "IMG_10.xmp.bak"),
        ("a.mov", "a.xmp"),
        ("IMG_1.jpg", "IMG_1(1).jpg"),
        ("DSC_3.mov", "DSC_4.jpg"),
    ],
)
def test_these_are_apart(names: tuple[str, ...]) -> None:
    together = [each for each in sets(*names) if len(set(each) & {"a.jpg", "b.xmp", "a.png"}) > 1]
    assert together == []
    assert all("IMG_1.jpg" not in each for each in sets(*names))


def test_a_cut_json_is_of_the_photo_with_its_number() -> None:
    cut = LONG[:46]
    found = sets(f"{cut}x.jpg", f"{cut}x(1).jpg", f"{cut}.json", f"{cut}(1).json")
    assert set(found) == {(f"{cut}x.jpg", f"{cut}.json"), (f"{cut}x(1).jpg", f"{cut}(1).json")}


def test_one_sidecar_of_two_photos_goes_with_the_raw() -> None:
    assert set(sets("a.jpg", "a.nef", "a.png", "a.xmp")[0]) == {"a.jpg", "a.nef", "a.xmp"}


def test_a_sidecar_that_two_photos_could_own_stays_by_itself() -> None:
    found = group(("a.jpg", "a.png", "a.xmp", "a.png.xmp"))
    assert [each.names for each in found.sets] == [("a.png", "a.png.xmp")]
    assert found.doubtful == (("a.xmp", ("a.jpg", "a.png")),)


def test_spelling_decides_where_a_disk_tells_upper_from_lower_case() -> None:
    found = sets("IMG_1.jpg", "img_1.jpg", "IMG_1.xmp", "img_1.xmp", "img_1.cr2")
    assert set(map(frozenset, found)) == {
        frozenset({"IMG_1.jpg", "IMG_1.xmp"}),
        frozenset({"img_1.jpg", "img_1.xmp", "img_1.cr2"}),
    }
    assert sets("img_1.XMP", "IMG_1.JPG") == [("IMG_1.JPG", "img_1.XMP")]


def test_where_a_number_goes() -> None:
    def numbered(name: str, leader: str) -> str:
        at = number_place(name, leader)
        return f"{name[:at]} (2){name[at:]}"

    assert numbered("a.jpg.xmp", "a.jpg") == "a (2).jpg.xmp"
    assert numbered("IMG_1_HEVC.MOV", "IMG_1.HEIC") == "IMG_1 (2)_HEVC.MOV"
    assert numbered("IMG_E1234.HEIC", "IMG_1234.HEIC") == "IMG_E1234 (2).HEIC"
    cover = "PXL_20240101_120000123.RAW-01.COVER.jpg"
    assert numbered(cover, cover) == "PXL_20240101_120000123 (2).RAW-01.COVER.jpg"


NAMES = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(
            ["IMG_1", "img_1", "IMG_E1234", "IMG_1234", "a", "a(1)", "a-edited", "PXL_20240101_120000~2"]
        ),
        st.sampled_from(["", " (2)", "_HEVC", ".jpg", ".jpg(1)", ".RAW-01.COVER", "-edited(1)"]),
        st.sampled_from([".jpg", ".CR3", ".xmp", ".MOV", ".json", ".wav", ".png", ".psd", "", ".MP"]),
    ),
)


@given(st.lists(NAMES, unique=True, max_size=24))
def test_every_name_is_in_one_set_at_most_and_order_does_not_matter(names: list[str]) -> None:
    found = group(names)
    members = [name for each in found.sets for name in each.names]
    assert len(members) == len(set(members))
    assert set(members) <= set(names)
    assert not set(members) & {name for name, _ in found.doubtful}
    backwards = group(names[::-1])
    assert {frozenset(each.names) for each in backwards.sets} == {
        frozenset(each.names) for each in found.sets
    }
    assert {each.leader for each in backwards.sets} == {each.leader for each in found.sets}


@given(st.lists(NAMES, unique=True, max_size=24))
def test_a_number_for_all_names_keeps_a_set_together(names: list[str]) -> None:
    for each in group(names).sets:
        places = [number_place(name, each.leader.name) for name in each.names]
        numbered = [f"{name[:at]} (7){name[at:]}" for name, at in zip(each.names, places, strict=True)]
        assert len(set(numbered)) == len(each.names)

"""The smaller picture of itself that a photo holds: when it is taken, and when the photo itself is decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from previews import encoded, heif, with_preview, with_thumbnail
from support.embedded import scene

from sorter.photos.decode import Decoder
from sorter.types import Decoded, Failure, Reason

LEAST = 64
DATE = "2026:07:01 12:00:00"


def decoded(data: bytes, least: int | None = LEAST) -> Decoded:
    outcome = Decoder(least and least * 8 // 7, embedded=least)(Path("photo"), data)
    assert isinstance(outcome, Decoded), outcome
    return outcome


def distance(one: Decoded, other: Decoded) -> float:
    """Mean difference of two pictures in grey levels, at a small size."""
    small = [
        np.asarray(Image.fromarray(each.pixels).resize((24, 24), Image.Resampling.BOX), int)
        for each in (one, other)
    ]
    return float(np.abs(small[0] - small[1]).mean())


KINDS = {
    "heif": lambda image: heif(image),
    "mpf": lambda image: with_preview(image, image.resize((400, 300))),
    "exif": lambda image: with_thumbnail(image, image.resize((160, 120))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_embedded_picture_is_the_photo_at_a_smaller_size(kind: str) -> None:
    data = KINDS[kind](scene())
    small, whole = decoded(data), decoded(data, None)
    assert small.embedded and not whole.embedded
    assert min(small.pixels.shape[:2]) >= LEAST
    assert (small.width, small.height, small.format) == (whole.width, whole.height, whole.format)
    assert distance(small, whole) < 6


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_below_the_least_side_is_not_taken(kind: str) -> None:
    assert not decoded(KINDS[kind](scene()), 320).embedded


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_that_was_cut_short_is_not_shown_by_its_embedded_picture(kind: str) -> None:
    data = KINDS[kind](scene())
    for length in (len(data) // 2, len(data) - len(data) // 20):
        outcome = Decoder(80, embedded=LEAST)(Path("photo"), data[:length])
        assert isinstance(outcome, Failure)
        assert outcome.reason in (Reason.TRUNCATED, Reason.CORRUPT)


@pytest.mark.parametrize("kind", ["heif", "exif"])
def test_a_photo_whose_end_is_zeros_is_not_shown_by_its_embedded_picture(kind: str) -> None:
    """A download leaves such a file that reserved its room and stopped."""
    data = KINDS[kind](scene())
    gone = len(data) // 4
    outcome = Decoder(80, embedded=LEAST)(Path("photo"), data[:-gone] + bytes(gone))
    assert isinstance(outcome, Failure) or not outcome.embedded


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_an_embedded_picture_is_turned_as_the_photo_is(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = with_preview(scene(), scene().resize((400, 300)), exif=exif)
    small, whole = decoded(data), decoded(data, None)
    assert small.embedded
    assert (small.width, small.height) == (whole.width, whole.height)
    assert distance(small, whole) < 6


def test_a_preview_of_other_proportions_is_not_taken() -> None:
    assert not decoded(with_preview(scene(), scene().resize((400, 400)))).embedded


def test_another_picture_of_a_multi_picture_file_is_not_taken() -> None:
    """Such as the second eye of a stereo photo, or a gain map."""
    assert not decoded(with_preview(scene(), scene().resize((400, 300)), kind=0x020002)).embedded


@pytest.mark.parametrize("turn", [ImageOps.mirror, ImageOps.flip])
def test_a_preview_that_was_left_behind_is_noticed(turn: object) -> None:
    """A program mirrored the photo, and kept the preview and the time."""
    stale = with_preview(turn(scene()), scene().resize((400, 300)))  # type: ignore[operator]
    small = decoded(stale)
    assert not small.embedded
    assert distance(small, decoded(stale, None)) < 1


def test_a_photo_that_a_program_changed_is_decoded_itself() -> None:
    """It gives the time of its change. The preview may be older, even where both begin alike."""
    for changed, taken_as_it_is in (
        (DATE, True),
        ("2026:07:01 12:00:02", True),
        ("2026:08:01 09:00:00", False),
    ):
        exif = Image.Exif()
        exif[0x0132] = changed
        exif.get_ifd(0x8769)[0x9003] = DATE
        data = with_preview(scene(), scene().resize((400, 300)), exif=exif)
        assert decoded(data).embedded is taken_as_it_is


def test_a_photo_in_other_colours_is_decoded_itself() -> None:
    """A JPEG's preview does not say whether it is in the photo's wide colours or in sRGB."""
    from PIL import ImageCms

    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    data = encoded(
        scene(), "MPO", save_all=True, append_images=[scene().resize((400, 300))], icc_profile=swapped
    )
    assert not decoded(data).embedded

"""The suite of formats: sorter shows each kind as it was drawn, and half of it is told as damage."""

from __future__ import annotations

from pathlib import Path

import make_format_suite
import pytest
from format_suite import newer, other, unread, web
from format_suite.kinds import Kind, Made, picture
from make_format_suite import NO_TRUTH, RIGHT, UNSUPPORTED, check, judge_half, main

from sorter.types import Failure, Reason

SETS = (web.jpegs, web.pngs, web.gifs_and_webps, other.tiffs, other.bmps, other.avifs, other.heics)
SETS += (other.raws, newer.jxls, newer.jp2s, newer.pnms, unread.unread)
UNREAD = {"TIFF LogLuv"}
VIEWERS_DIFFER = ("AVIF PQ", "AVIF HLG", "HEIC PQ", "HEIC HLG", "DNG ")


@pytest.mark.parametrize("kinds", SETS, ids=lambda each: each.__name__)
def test_each_kind_is_shown_as_it_was_drawn(
    kinds: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_format_suite, "kinds", kinds)
    rows = list(check(make_format_suite.write(tmp_path, copies=1)))
    assert rows
    for row in rows:
        assert not row.half, row
        expected = NO_TRUTH if row.kind.startswith(VIEWERS_DIFFER) else RIGHT
        assert row.outcome == (
            UNSUPPORTED if row.kind in UNREAD or row.kind.endswith("not read") else expected
        ), row


def test_the_suite_has_a_thousand_files_of_twelve_formats_and_no_name_twice() -> None:
    kinds = list(make_format_suite.kinds())
    names = [(kind.format, kind.name) for kind in kinds]
    assert len(names) == len(set(names))
    assert len({kind.format for kind in kinds}) >= 12
    assert len(names) * make_format_suite.COPIES >= 1000


def test_a_wrong_picture_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    negative = Kind("BMP", "negative", ".bmp", lambda p: Made(web.saved(p, "BMP"), 255 - p))
    monkeypatch.setattr(make_format_suite, "kinds", lambda: iter([negative]))
    assert main([str(tmp_path / "suite"), "-n", "2", "--check"]) == 1
    assert "2 shown wrongly" in capsys.readouterr().out
    assert main([str(tmp_path / "suite"), "-n", "2"]) == 0
    assert "2 files" in capsys.readouterr().out


def test_half_a_file_that_is_unsupported_is_no_answer() -> None:
    made = Made(b"", picture(0))
    assert judge_half(Failure(Reason.TRUNCATED, ""), made) == ""
    assert "unsupported" in judge_half(Failure(Reason.UNSUPPORTED, ""), made)

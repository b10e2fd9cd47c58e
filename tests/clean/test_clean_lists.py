"""`sorter clean --from`."""

from __future__ import annotations

import csv
from pathlib import Path

from support.cleaning import jpeg, put
from support.commands import Sorter


def rows(report: Path) -> dict[str, str]:
    with report.open(encoding="utf-8", newline="") as file:
        found = [(Path(row["path"]).name, row["verdict"]) for row in csv.DictReader(file)]
    assert len(dict(found)) == len(found), found
    return dict(found)


def test_the_files_of_a_list_are_cleaned_again_and_put_back(tmp_path: Path, sorter: Sorter) -> None:
    put(tmp_path / "in" / "whole.jpg", jpeg(1))
    broken = put(tmp_path / "in" / "broken.jpg", jpeg(2)[:900])
    put(tmp_path / "in" / "other.jpg", jpeg(3)[:900])
    listing = tmp_path / "list.txt"
    listing.write_text("in/whole.jpg\nin/broken.jpg\nin/gone.jpg\n", encoding="utf-8")
    for _ in range(2):  # the second time, the broken one lies in the quarantine
        done = sorter("clean", "--from", listing, "-j", "1")
        assert done.returncode == 3, done.stderr
        assert rows(tmp_path / "clean.csv") == {
            "whole.jpg": "ok",
            "broken.jpg": "broken",
            "gone.jpg": "unreadable",
        }
        assert not broken.exists()
        assert (tmp_path / "in" / "other.jpg").exists()
    assert sorter("undo", tmp_path / "list-quarantine").returncode == 0
    assert broken.exists()


def test_a_list_on_stdin_needs_a_quarantine(tmp_path: Path, sorter: Sorter) -> None:
    whole = put(tmp_path / "whole.jpg", jpeg(1))
    done = sorter("clean", "--from", "-", input=f"{whole}\n")
    assert done.returncode == 2
    assert "name one with --quarantine" in done.stderr
    done = sorter("clean", "--from", "-", "--quarantine", tmp_path / "away", "-j", "1", input=f"{whole}\n")
    assert done.returncode == 0, done.stderr

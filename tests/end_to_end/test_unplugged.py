"""A drive that is unplugged in the middle of a run: the run stops, says so, and goes on when the drive is back."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from support.commands import Sorter, command, read_report
from support.photos import make_photo
from support.processes import wait_until

COUNT = 400


@pytest.mark.parametrize("mount_point_stays", [False, True])
@pytest.mark.parametrize("action", ["copy", "move"])
def test_an_unplugged_drive_stops_the_run(
    tmp_path: Path, model: Path, sorter: Sorter, action: str, mount_point_stays: bool
) -> None:
    drive, away, out = tmp_path / "drive", tmp_path / "away", tmp_path / "out"
    original = make_photo(tmp_path / "original.jpg", seed=1)
    drive.mkdir()
    for number in range(COUNT):
        (drive / f"{number}.jpg").write_bytes(original.read_bytes() + number.to_bytes(2, "big"))
    given = ("run", drive, "--out", out, "--action", action, "-j", "1")
    process = subprocess.Popen(
        command(model, *given), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(lambda: len(list(out.glob("*/*.jpg"))) > 5)
        drive.rename(away)
        if mount_point_stays:
            drive.mkdir()
        _, stderr = process.communicate(timeout=120)
    finally:
        process.kill()
        process.wait(60)
    assert process.returncode == 1, stderr
    assert f"{drive}: is no longer there; connect the drive" in stderr
    assert "Traceback" not in stderr
    if mount_point_stays:
        drive.rmdir()
    os.rename(away, drive)  # noqa: PTH104
    done = sorter(*given)
    assert done.returncode == 0, done.stderr
    assert [row["status"] for row in read_report(out)] == ["sorted"] * COUNT
    assert len(list(out.glob("*/*.jpg"))) == COUNT

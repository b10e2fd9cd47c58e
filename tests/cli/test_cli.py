"""What a user gets wrong is answered with a sentence and the right exit code, never with a traceback."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from support.commands import Sorter
from support.photos import make_photo


@pytest.fixture
def source(tmp_path: Path) -> Path:
    make_photo(tmp_path / "in" / "a.jpg")
    return tmp_path / "in"


WRONG = {
    "no such file or folder": ["run", "{in}/nowhere", "--out", "{out}"],
    "is the folder of photos itself": ["run", "{in}", "--out", "{in}"],
    "lies inside --out": ["run", "{in}/deeper", "--out", "{in}"],
    "is a file; name a folder": ["run", "{in}", "--out", "{in}/a.jpg"],
    "--threshold: 1.5 is not between 0 and 1": ["run", "{in}", "--out", "{out}", "--threshold", "1.5"],
    "is not two rising numbers": ["run", "{in}", "--out", "{out}", "--unsure", "0.7", "0.3"],
    "--workers: 0 is not above zero": ["run", "{in}", "--out", "{out}", "-j", "0"],
    "--exclude": ["run", "{in}", "--out", "{out}", "--exclude", "!"],
    "none of auto, cpu, all, cuda": ["run", "{in}", "--out", "{out}", "--device", "tpu"],
    "required": ["run", "{in}"],
}


@pytest.mark.parametrize("expected", sorted(WRONG))
def test_wrong_usage(expected: str, tmp_path: Path, source: Path, sorter: Sorter) -> None:
    (source / "deeper").mkdir()
    places = {"{in}": str(source), "{out}": str(tmp_path / "out")}
    arguments = []
    for argument in WRONG[expected]:
        for mark, place in places.items():
            argument = argument.replace(mark, place)
        arguments.append(argument)
    done = sorter(*arguments)
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.glob("out/*")), "a refused command left something behind"


def test_a_model_that_is_none(tmp_path: Path, source: Path, sorter: Sorter, model: Path) -> None:
    import shutil

    done = sorter("run", source, "--out", tmp_path / "out", "--model", source)
    assert done.returncode == 1 and "is no model folder" in done.stderr
    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    with (copy / "model.onnx").open("ab") as file:
        file.write(b"x")
    done = sorter("run", source, "--out", tmp_path / "out", "--model", copy)
    assert done.returncode == 1 and "sha256 differs" in done.stderr
    (copy / "model.onnx").unlink()
    assert "No such file" in sorter("run", source, "--out", tmp_path / "out", "--model", copy).stderr
    description = json.loads((copy / "model.json").read_text())
    for change, expected in (
        ({"format_version": 99}, "upgrade sorter"),
        ({"classes": ["../evil", "b"]}, "cannot be a folder's name"),
        ({"classes": ["unsure", "b"]}, "cannot be a folder's name"),
        ({"files": {"../../etc/passwd": "0"}}, "names files that no model folder has"),
        ({"threshold": "high"}, "incomplete or damaged"),
        ({"preprocess": {"size": 32}}, "preprocess"),
    ):
        (copy / "model.json").write_text(json.dumps({**description, **change}))
        done = sorter("run", source, "--out", tmp_path / "out", "--model", copy)
        assert done.returncode == (2 if "classes" in change else 1), change
        assert expected in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_folders_without_a_journal(tmp_path: Path, sorter: Sorter) -> None:
    for command in ("undo", "status"):
        done = sorter(command, tmp_path)
        assert done.returncode == 1
        assert "holds no journal" in done.stderr
        assert not list(tmp_path.iterdir())


def test_a_damaged_or_newer_journal_is_refused(tmp_path: Path, source: Path, sorter: Sorter) -> None:
    out = tmp_path / "out"
    assert sorter("run", source, "--out", out).returncode == 0
    journal = out / ".sorter" / "journal.db"
    connection = sqlite3.connect(journal)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    done = sorter("run", source, "--out", out)
    assert done.returncode == 1 and "upgrade sorter" in done.stderr
    journal.write_bytes(b"this is no database, whatever it was before" * 100)
    for leftover in journal.parent.glob("journal.db-*"):
        leftover.unlink()
    done = sorter("run", source, "--out", out)
    assert done.returncode == 1 and "is damaged" in done.stderr
    assert "Traceback" not in done.stderr


def test_quiet_and_json(tmp_path: Path, source: Path, sorter: Sorter) -> None:
    done = sorter("run", source, "--out", tmp_path / "out", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    summary = json.loads(sorter("run", source, "--out", tmp_path / "other", "--json").stdout)
    assert summary["counts"] == {"red": 1, "blue": 0}
    assert summary["engine"] == "onnx fp32"
    status = json.loads(sorter("status", tmp_path / "other", "--json").stdout)
    assert (status["state"], status["files"], status["filed"]) == ("done", 1, 1)
    assert "the last run came to its end" in sorter("status", tmp_path / "other").stdout


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, source: Path, model: Path) -> None:
    import subprocess

    from support.commands import command

    assert (
        subprocess.run(command(model, "run", source, "--out", tmp_path / "out"), check=False).returncode == 0
    )
    process = subprocess.Popen(
        command(model, "status", tmp_path / "out"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    process.wait(60)
    assert b"Traceback" not in errors and b"Exception" not in errors

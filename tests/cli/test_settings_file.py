"""Flags from a file: every kind of flag, checked as on the command line, which has the last word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.commands import Sorter, hashes
from support.photos import BLUE, RED, make_photo

from sorter.cli import build_parser
from sorter.cli.settings import FileFlags, read_settings
from sorter.types import UsageError

PARSERS = {name: each.parser for name, each in build_parser().commands().items()}


def words(folder: Path, text: str, *given: str) -> tuple[str, ...]:
    file = folder / "flags.toml"
    file.write_text(text, encoding="utf-8")
    return read_settings([*given, "--config", str(file)], PARSERS).words


def test_every_kind_of_flag_becomes_words(tmp_path: Path) -> None:
    text = """
    [run]
    action = "move"
    unsure = [0.3, 0.7]
    exclude = ["a b/", "-c"]
    threshold = 0.5
    prune_empty = true
    hidden = false
    [clean]
    blur = 0.03
    """
    found = words(tmp_path, text, "run", "photos", "--out", "sorted")
    assert found == (
        *("--action=move", "--unsure", "0.3", "0.7", "--exclude=a b/", "--exclude=-c"),
        *("--threshold=0.5", "--prune-empty"),
    )
    arguments = build_parser().parse_args(["run", *found, "photos", "--out", "sorted", "--action", "none"])
    assert (arguments.action, arguments.exclude, arguments.threshold) == ("none", ["a b/", "-c"], 0.5)
    assert words(tmp_path, text, "clean", "photos") == ("--blur=0.03",)
    assert words(tmp_path, text, "status", "sorted") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[run]\ncolour = 1", r"\[run\] colour: is no flag; `sorter run --help` lists them"),
        ("[clean]\nyes = true", r"\[clean\] yes: cannot be given in a file"),
        ("[run]\nhidden = 1", "is a switch; write true or false"),
        ("[run]\naction = ['copy', 'move']", "is no value of --action"),
        ("[sort]\nhidden = true", "sort: is no table of a command"),
        ("hidden = true", "hidden: is no table of a command"),
        ("[run", "is no TOML"),
    ],
)
def test_what_is_no_flag_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        words(tmp_path, text, "clean" if "clean" in text else "run")


def test_a_file_that_is_missing_is_refused_and_none_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings(["run", "photos"], PARSERS) == FileFlags()
    with pytest.raises(UsageError, match=r"--config none\.toml: No such file"):
        read_settings(["run", "photos", "--config=none.toml"], PARSERS)
    (tmp_path / "sorter.toml").write_text("[run]\nhidden = true", encoding="utf-8")
    assert read_settings(["run", "photos"], PARSERS).words == ("--hidden",)
    assert read_settings(["run", "photos", "--no-config"], PARSERS) == FileFlags()
    assert read_settings(["--version"], PARSERS) == FileFlags()


def test_the_command_reads_the_file_of_its_folder(tmp_path: Path, sorter: Sorter) -> None:
    make_photo(tmp_path / "in" / "red.jpg", RED)
    make_photo(tmp_path / "in" / "blue.jpg", BLUE)
    text = f'[run]\nout = "{(tmp_path / "out").as_posix()}"\nexclude = ["blue*"]\n'
    (tmp_path / "sorter.toml").write_text(text, encoding="utf-8")
    done = sorter("run", tmp_path / "in", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(hashes(tmp_path / "out")) == {"red/red.jpg"}
    assert "Flags from sorter.toml: --out=" in done.stderr
    assert "Flags from" not in sorter("run", tmp_path / "in", "-q", cwd=tmp_path).stderr
    assert sorter("run", tmp_path / "in", "--no-config", cwd=tmp_path).returncode == 2
    (tmp_path / "sorter.toml").write_text("[run]\naction = 'burn'\n", encoding="utf-8")
    refused = sorter("run", tmp_path / "in", "--out", "out", cwd=tmp_path)
    assert refused.returncode == 2
    assert "argument --action: invalid choice: 'burn'" in refused.stderr


def test_a_log_keeps_what_was_said_and_how_it_ended(tmp_path: Path, sorter: Sorter) -> None:
    make_photo(tmp_path / "in" / "red.jpg", RED)
    log = tmp_path / "log.jsonl"
    given = ("run", tmp_path / "in", "--out", tmp_path / "out", "--log-file", log, "--log-format", "json")
    assert sorter(*given).returncode == 0
    assert sorter(*given, "--threshold", "7").returncode == 2
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [line["level"] for line in lines].count("error") == 1
    assert lines[0]["command"][:2] == ["run", str(tmp_path / "in")]
    ends = [line for line in lines if "exit_code" in line]
    assert [line["exit_code"] for line in ends] == [0, 2]
    assert ends[0]["result"]["counts"] == {"red": 1, "blue": 0}
    text = tmp_path / "log.txt"
    assert sorter("status", tmp_path / "out", "--log-file", text).returncode == 0
    assert [line.split()[1] for line in text.read_text(encoding="utf-8").splitlines()] == ["INFO", "INFO"]


def test_a_log_is_added_to_no_other_file(tmp_path: Path, sorter: Sorter) -> None:
    photo = make_photo(tmp_path / "photo.jpg", RED)
    before = photo.read_bytes()
    done = sorter("status", tmp_path, "--log-file", photo)
    assert done.returncode == 2
    assert "is no log of sorter" in done.stderr
    assert photo.read_bytes() == before


def test_progress_for_a_program(tmp_path: Path, sorter: Sorter) -> None:
    for number in range(3):
        make_photo(tmp_path / "in" / f"{number}.jpg", RED, seed=number)
    done = sorter("run", tmp_path / "in", "--out", tmp_path / "out", "--progress", "json", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["red"] == 3
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert {"event": "total", "total": 3} in events
    assert [each["done"] for each in events if each["event"] == "progress"][-1] == 3
    assert events[-1] == {"event": "end", "exit_code": 0}
    wrong = sorter(
        "run", tmp_path / "in", "--out", tmp_path / "out", "--threshold", "7", "--progress", "json"
    )
    events = [json.loads(line) for line in wrong.stderr.splitlines()]
    assert [each["event"] for each in events] == ["error", "end"]
    assert events[-1]["exit_code"] == wrong.returncode == 2

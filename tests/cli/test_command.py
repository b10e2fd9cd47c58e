"""One place prints what commands return."""

from __future__ import annotations

import argparse
import ast
import io
from pathlib import Path

import pytest

from sorter.cli import command, main, sort
from sorter.cli.command import CommandResult, ask, print_result, require_extra
from sorter.types import SorterError

PRINTING = {"command.py", "progress_bar.py"}
RESULT = CommandResult(("a line", "another"), {"a": 1}, 3)


@pytest.mark.parametrize(
    ("flags", "printed"),
    [
        ({}, "a line\nanother\n"),
        ({"json": False, "quiet": True}, ""),
        ({"json": True, "quiet": True}, '{"a": 1}\n'),
    ],
)
def test_print_result(flags: dict[str, bool], printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_result(RESULT, argparse.Namespace(**flags))
    assert capsys.readouterr() == (printed, "")


def test_commands_do_not_print() -> None:
    for module in Path(command.__file__).parent.glob("*.py"):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        prints = sum(isinstance(call, ast.Name) and call.id == "print" for call in calls)
        assert prints <= (module.name == "__init__.py") or module.name in PRINTING, module  # the version


def test_main_returns_the_exit_code_of_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sort, "_status", lambda _: RESULT)
    assert main(["status", "x", "--json"]) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["status", "x"], "give the same command again"), (["train", "x", "-o", "y"], "add --resume")],
)
def test_an_interrupted_command_says_how_to_go_on(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> CommandResult:
        raise KeyboardInterrupt

    monkeypatch.setattr("sorter.cli.sort._status", interrupted)
    monkeypatch.setattr("sorter.cli.train._train", interrupted)
    assert main(arguments) == 130
    assert capsys.readouterr().err.startswith(f"sorter: stopped; {said}")


@pytest.mark.parametrize(("answer", "yes"), [("y\n", True), ("YES\n", True), ("no\n", False), ("", False)])
def test_only_yes_means_yes(answer: str, yes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert ask("Delete 3 files for good?") is yes


def test_a_missing_extra_is_named() -> None:
    require_extra("argparse")
    with pytest.raises(
        SorterError, match=r'no_such_module is not installed; run `pip install "sorter-photos\[gui\]"`'
    ):
        require_extra("argparse", "no_such_module", extra="gui")

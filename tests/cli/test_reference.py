"""docs/reference/commands.md is what the parser says today, and the overview lists every command."""

from __future__ import annotations

import argparse

import pytest
from reference import PAGE

from sorter.cli import build_parser
from sorter.cli.overview import GROUPS
from sorter.cli.reference import flag_text, render, split_help

COMMANDS = build_parser().commands()


def test_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == render(build_parser()), "run `python scripts/reference.py`"


def test_page_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    page = render(build_parser())
    monkeypatch.setenv("COLUMNS", "40")
    assert render(build_parser()) == page


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_is_in_the_section_of_its_command(name: str) -> None:
    _, _, rest = render(build_parser()).partition(f"### sorter {name}\n")
    section = rest.partition("\n### ")[0]
    for action in COMMANDS[name].parser._actions:
        if action.option_strings and action.dest != "help":
            assert f"| `{flag_text(action)}` |" in section


def test_every_command_is_in_one_group_of_the_overview() -> None:
    assert sorted(name for _, names in GROUPS for name in names) == sorted(COMMANDS)
    overview = build_parser().format_help()
    for name, command in COMMANDS.items():
        assert f"  {name} " in overview and command.summary in overview


@pytest.mark.parametrize("name", COMMANDS)
def test_help_ends_with_the_default_of_the_flag(name: str) -> None:
    for action in COMMANDS[name].parser._actions:
        sentences, default = split_help(action.help or "")
        if action.dest == "help" or not action.option_strings:
            continue
        assert sentences.endswith("."), sentences
        if isinstance(action, argparse._StoreAction) and action.default not in (None, ""):
            shown = f"{action.default:g}" if isinstance(action.default, float) else str(action.default)
            assert default == shown, action.option_strings


def test_split_help() -> None:
    assert split_help("99 %% of it. (default: one per core)") == ("99 % of it.", "one per core")
    assert split_help("No default (or none).") == ("No default (or none).", "")

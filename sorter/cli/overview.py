"""`sorter --help`: the commands in groups."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

from sorter.cli.flags import Parser

GROUPS = (
    ("sort photos", ("run", "watch", "status", "undo", "export-labels", "gui")),
    ("prepare photos", ("clean", "collect", "inspect", "audit")),
    ("make a model", ("train", "recipes", "evaluate", "explain", "export")),
    ("this computer", ("doctor", "completion")),
)


@dataclass(frozen=True)
class ListedCommand:
    """A command in the overview.

    Attributes:
        summary: one line.
        parser: of its flags.
        row: the action that argparse lists in a help text.
    """

    name: str
    summary: str
    parser: argparse.ArgumentParser
    row: argparse.Action


class OverviewParser(Parser):
    """A parser with commands, whose help lists them by `GROUPS`."""

    def commands(self) -> dict[str, ListedCommand]:
        """Every command by its name."""
        subparsers: Any = next(
            action for action in self._actions if isinstance(action, argparse._SubParsersAction)
        )
        return {
            row.dest: ListedCommand(row.dest, row.help or "", subparsers.choices[row.dest], row)
            for row in subparsers._choices_actions
        }

    def format_help(self) -> str:
        commands = self.commands()
        formatter = self._get_formatter()
        formatter.add_usage(self.usage, self._actions, self._mutually_exclusive_groups)
        formatter.add_text(self.description)
        for heading, names in GROUPS:
            formatter.start_section(heading)
            formatter.add_arguments([commands[name].row for name in names])
            formatter.end_section()
        formatter.start_section("options")
        formatter.add_arguments([action for action in self._actions if action.option_strings])
        formatter.end_section()
        formatter.add_text(self.epilog)
        return formatter.format_help()

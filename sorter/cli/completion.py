"""`sorter completion`: what a shell needs to complete commands, flags and files. shtab writes it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sorter.cli.command import CommandResult, require_extra
from sorter.cli.flags import add_command, file_list, location

SHELLS = ("bash", "zsh", "fish")


def add_completion(commands: Any, build: Callable[[], argparse.ArgumentParser]) -> None:
    """Add the command.

    Args:
        build: makes the parser of all commands.
    """
    parser = add_command(
        commands,
        "completion",
        "print the completion of a shell",
        "Print a script that lets a shell complete commands, flags and files. Put it where the shell looks.",
        (
            "sorter completion bash > ~/.local/share/bash-completion/completions/sorter",
            "sorter completion zsh > ~/.zfunc/_sorter",
            "sorter completion fish > ~/.config/fish/completions/sorter.fish",
        ),
    )
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=f"One of {', '.join(SHELLS)}.")
    parser.set_defaults(command=lambda arguments: _completion(arguments, build()))


def _completion(arguments: argparse.Namespace, parser: argparse.ArgumentParser) -> CommandResult:
    require_extra("shtab", extra="")
    import shtab

    _name_files(parser)
    return CommandResult((shtab.complete(parser, arguments.shell),))


def _name_files(parser: argparse.ArgumentParser) -> None:
    """Tell shtab which arguments are files, by their types."""
    import shtab

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                _name_files(each)
        elif action.type in (Path, location, file_list) or action.dest == "config":
            folder = action.metavar in ("DIR", "FOLDER")
            action.complete = shtab.DIRECTORY if folder else shtab.FILE  # type: ignore[attr-defined]

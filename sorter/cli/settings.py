"""`sorter.toml` and `--config`: flags from a file, as words before those of the command line.

argparse then checks them as it checks any other flag, and a flag of the command line comes later and wins.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "sorter.toml"
# A file must neither answer a question for the user nor name another file.
REFUSED = frozenset({"--help", "--config", "--no-config", "--yes"})


@dataclass(frozen=True)
class FileFlags:
    """Flags from a file.

    Attributes:
        path: of the file; None where there is none.
        words: the flags, as a user would type them.
    """

    path: Path | None = None
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        import shlex

        return f"Flags from {self.path}: {shlex.join(self.words)}"


def add_settings(parser: argparse.ArgumentParser) -> None:
    """`--config` and `--no-config`."""
    group = parser.add_argument_group("settings")
    group.add_argument(
        "--config",
        metavar="FILE",
        help='TOML file with flags: a table for each command, such as [run] with action = "move". '
        f"(default: {FILE} in the working directory, if there is one)",
    )
    group.add_argument("--no-config", action="store_true", help=f"Do not read {FILE}.")


def read_settings(words: Sequence[str], commands: Mapping[str, argparse.ArgumentParser]) -> FileFlags:
    """The settings for a command line.

    Args:
        words: the command line without the name of the program.
        commands: the parser of each command.

    Raises:
        UsageError: the file cannot be read, or names something that is no flag.
    """
    command = next((word for word in words if not word.startswith("-")), "")
    if command not in commands:
        return FileFlags()
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    finder.add_argument("--config", type=Path)
    finder.add_argument("--no-config", action="store_true")
    try:
        given = finder.parse_known_args(words)[0]
    except argparse.ArgumentError:  # a --config without a file, of which the real parser complains
        return FileFlags()
    path = given.config or Path(FILE)
    if given.no_config or (given.config is None and not path.is_file()):
        return FileFlags()
    table = _table(path, command, commands)
    words = tuple(
        word for key, value in table.items() for word in _words(path, command, commands[command], key, value)
    )
    return FileFlags(path, words)


def _table(path: Path, command: str, commands: Mapping[str, Any]) -> Mapping[str, Any]:
    """The table of a command. Raises UsageError."""
    from sorter.types import UsageError

    if sys.version_info >= (3, 11):
        import tomllib  # novermin: checked above
    else:
        import tomli as tomllib

    try:
        with path.open("rb") as file:
            data = tomllib.load(file)
    except OSError as error:
        raise UsageError(f"--config {path}: {error.strerror}; name a TOML file") from error
    except ValueError as error:
        raise UsageError(f"{path}: is no TOML: {error}") from error
    for name, table in data.items():
        if name not in commands or not isinstance(table, dict):
            known = ", ".join(f"[{each}]" for each in commands)
            raise UsageError(f"{path}: {name}: is no table of a command; the tables are {known}")
    found: Mapping[str, Any] = data.get(command, {})
    return found


def _words(path: Path, command: str, parser: argparse.ArgumentParser, key: str, value: Any) -> Iterator[str]:
    """A key and its value as words. Raises UsageError."""
    from sorter.types import UsageError

    flag = "--" + key.replace("_", "-")
    action = parser._option_string_actions.get(flag)
    if action is None or flag in REFUSED:
        why = "cannot be given in a file" if action else f"is no flag; `sorter {command} --help` lists them"
        raise UsageError(f"{path}: [{command}] {key}: {why}")
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise UsageError(f"{path}: [{command}] {key}: is a switch; write true or false")
        if value:
            yield flag
        return
    repeated = isinstance(action, argparse._AppendAction)
    for each in value if repeated and isinstance(value, list) else [value]:
        many = each if isinstance(each, list) else [each]
        if any(isinstance(part, (bool, dict, list)) for part in many) or (
            action.nargs is None and len(many) != 1
        ):
            raise UsageError(
                f"{path}: [{command}] {key}: {each!r} is no value of {flag}; write one text or number"
            )
        if action.nargs is None:
            yield f"{flag}={many[0]}"
        else:
            yield from (flag, *map(str, many))

"""The reference of commands, as Markdown.

The text is made from the parser's actions, not from its help: argparse prints help differently in each version of
Python and at each width of the terminal.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from sorter.cli.overview import GROUPS, ListedCommand, OverviewParser

HEAD = """# Commands

`sorter COMMAND --help` prints the same on the terminal.
[Exit codes](exit-codes.md) are the same for all commands.

<!-- Made by `python scripts/reference.py` from the parser. Do not edit. -->
"""
DEFAULT = re.compile(r"(?s)(.*?) ?\(default: (.*)\)$")


def render(parser: OverviewParser) -> str:
    """The whole page."""
    commands = parser.commands()
    lines = [HEAD]
    for heading, names in GROUPS:
        lines += [f"## {heading.capitalize()}", ""]
        lines += [f"- [`sorter {name}`](#sorter-{name}): {commands[name].summary}." for name in names]
        lines.append("")
        for name in names:
            lines += _command(commands[name])
    return "\n".join(lines).rstrip() + "\n"


def split_help(text: str) -> tuple[str, str]:
    """A help text -> its sentences, and the default that it names at its end, or an empty string."""
    match = DEFAULT.match(text.replace("%%", "%"))
    return (match[1], match[2]) if match else (text.replace("%%", "%"), "")


def flag_text(action: argparse.Action) -> str:
    """A flag and its values, such as `-o, --out DIR`."""
    values = _values(action)
    return ", ".join(action.option_strings) + (f" {values}" if values else "")


def _command(command: ListedCommand) -> Iterator[str]:
    parser = command.parser
    yield from (f"### sorter {command.name}", "", _escaped(str(parser.description)), "")
    yield from ("```", _usage(command), "```", "")
    # The first two groups are argparse's own, for arguments and for flags that are in no other group.
    yield from _table("Arguments", [each for group in parser._action_groups[:2] for each in _shown(group)])
    for group in parser._action_groups[2:]:
        yield from _table(str(group.title).capitalize(), _shown(group))
    heading, *examples = (parser.epilog or "").splitlines()
    yield from (f"{heading.capitalize().rstrip(':')}:", "", "```sh")
    yield from (line.strip() for line in examples)
    yield from ("```", "")


def _usage(command: ListedCommand) -> str:
    """Positional arguments, required flags, and a mark for the others."""
    actions = _shown(command.parser)
    positional = [_values(action) for action in actions if not action.option_strings]
    required = [
        f"{action.option_strings[-1]} {_values(action)}"
        for action in actions
        if action.option_strings and action.required
    ]
    others = ["[flags]"] if any(not each.required and each.option_strings for each in actions) else []
    return " ".join([f"sorter {command.name}", *positional, *required, *others])


def _shown(group: argparse._ActionsContainer) -> list[argparse.Action]:
    """The actions of a group, or of a whole parser, without `--help`."""
    actions: list[argparse.Action] = getattr(group, "_group_actions", group._actions)
    return [action for action in actions if action.dest != "help"]


def _values(action: argparse.Action) -> str:
    """The placeholders of an argument's values."""
    if action.nargs == 0:
        return ""
    if action.choices is not None:
        name = "{" + ",".join(map(str, action.choices)) + "}"
    elif isinstance(action.metavar, tuple):
        name = " ".join(action.metavar)
    else:
        name = action.metavar or action.dest.upper()
    if action.nargs == "?":
        return f"[{name}]"
    if action.nargs == "+":
        last = name.split()[-1]
        return f"{name} [{last} ...]"
    if action.nargs == "*":
        return f"[{name} ...]"
    return name


def _table(title: str, actions: list[argparse.Action]) -> Iterator[str]:
    """A table of arguments; nothing where there are none."""
    if not actions:
        return
    yield from (f"| {title} | Default | Meaning |", "|---|---|---|")
    for action in actions:
        name = flag_text(action) if action.option_strings else _values(action)
        meaning, default = split_help(action.help or "")
        if action.required and action.option_strings:
            default = "required"
        yield "| " + " | ".join((f"`{name}`", _escaped(default), _escaped(meaning))) + " |"
    yield ""


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")

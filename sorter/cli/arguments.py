"""Parsed arguments -> a record of options."""

from __future__ import annotations

import argparse
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, TypeVar

Record = TypeVar("Record")


def options_from(
    record: type[Record], arguments: argparse.Namespace, prefix: str = "", **given: Any
) -> Record:
    """Build a record from the arguments that have the names of its fields.

    A nested record is built likewise. The argument of its field `seconds` is named `limits.seconds`, where `limits`
    is the field that holds the nested record. A field without an argument keeps its default. A list becomes a tuple,
    and a word becomes a member where the field's default is a member of an Enum.

    Args:
        record: a dataclass. A field with a dataclass as its default factory holds a nested record.
        prefix: begins the names of the arguments.
        given: values of fields that no argument holds as they are.
    """
    values = vars(arguments)
    found = dict(given)
    for field in fields(record):  # type: ignore[arg-type]
        name = prefix + field.name
        factory: Any = field.default_factory
        if field.name in given:
            continue
        if isinstance(factory, type) and is_dataclass(factory):
            found[field.name] = options_from(factory, arguments, f"{name}.")
        elif name in values:
            found[field.name] = _typed(values[name], field.default)
    return record(**found)


def _typed(value: Any, default: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return type(default)(value) if isinstance(default, Enum) else value

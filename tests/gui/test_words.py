"""No flag, command, package or file format in any text of the window; errors of the library come in its own words."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

import sorter
from sorter import gui
from sorter.clean.records import Kind
from sorter.gui.parts.progress import Notice
from sorter.gui.parts.words import failure_text, fault_text, kind_text, reworded, step_text
from sorter.types import Failure, Reason

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before an application is made

FOREIGN = re.compile(
    r"--|`|\bsha256\b|\bjournal\b|\bpip\b|\bjson\b|\.(csv|json|db|html|onnx|safetensors)\b|same command"
)
# What only the terminal reaches.
ELSEWHERE = {"cli", "collect", "cluster", "export", "evaluate"}


def texts_of(tree: ast.AST) -> Iterator[str]:
    """Every text that a person may read: all that is neither a docstring nor a key, a pattern or a name in code."""
    code = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            code.add(id(body[0].value))  # a docstring
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("compile", "search", "sub", "split"):  # patterns
                code |= {id(each) for each in node.args}
            if name == "Rewording":
                code.add(id(node.args[0]))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in code:
            yield node.value


def translated(tree: ast.AST) -> Iterator[str]:
    """Every text that is translated."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("tr", "translate", "QT_TRANSLATE_NOOP") and isinstance(node.args[-1], ast.Constant):
                yield str(node.args[-1].value)


def errors_of(tree: ast.AST) -> Iterator[str]:
    """Every message of an error, with a name in place of each value."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            raised = node.exc.func
            name = raised.attr if isinstance(raised, ast.Attribute) else getattr(raised, "id", "")
            message = node.exc.args[0] if node.exc.args else None
            if name.endswith("Error") and isinstance(message, (ast.Constant, ast.JoinedStr)):
                parts = message.values if isinstance(message, ast.JoinedStr) else [message]
                yield "".join(str(each.value) if isinstance(each, ast.Constant) else "7" for each in parts)


def sources(package: str) -> list[Path]:
    found = sorted(Path(package).parent.rglob("*.py"))
    assert len(found) > 20
    return found


def test_no_text_of_the_window_names_a_flag_or_a_format() -> None:
    assert gui.__file__
    trees = {path.name: ast.parse(path.read_text("utf-8")) for path in sources(gui.__file__)}
    said = {(name, text) for name, tree in trees.items() for text in translated(tree)}
    assert len(said) > 300
    words = re.compile(FOREIGN.pattern + r"|\bJSON\b|\bCSV\b|\bONNX\b|\bSQLite\b|\bhash\b|\bterminal\b")
    assert not sorted(each for each in said if words.search(each[1]))
    # Whole sentences that are not translated are forgotten ones.
    everything = {(name, text) for name, tree in trees.items() for text in texts_of(tree)}
    sentences = {each for each in everything - said if re.search(r"^[A-Z][a-z]+ [a-z]+.*[.?:]$", each[1])}
    assert not sorted(sentences)


def test_errors_of_the_library_reach_the_window_in_its_words() -> None:
    assert sorter.__file__
    rooms = [path for path in sources(sorter.__file__) if not ELSEWHERE & set(path.parts)]
    errors = [error for path in rooms for error in errors_of(ast.parse(path.read_text("utf-8")))]
    assert len(errors) > 80
    for error in errors:
        said = reworded(error)
        assert said, error
        assert not FOREIGN.search(said), (error, said)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            "/a/b: holds no journal (.sorter/journal.db); name",
            "/a/b wasn't sorted by Sorter. Sort it first.",
        ),
        (
            "--out /a: is the folder of photos itself; name another folder, such as /a/sorted",
            "Sorted photos can't go into the photo folder itself. Choose another folder under “Save to”.",
        ),
        (
            "/a: was sorted with another model (car, not dog); choose another --out, or give --fresh to take",
            "/a holds results of another model, “car”. Undo those and sort again. "
            "Or choose another folder under “Save to”.",
        ),
        (
            "/a/out: No space left on device; free some space and give the same command again, it goes on",
            "The disk is full. Free some space, then press the same button again. What is done stays done.",
        ),
        (
            "/d: is no longer there; connect the drive and give",
            "/d is not there any more. Connect the drive, then",
        ),
        (
            "/m/model.onnx: is not the file that model.json describes (sha256 differs); copy",
            "This model is damaged.",
        ),
        (
            "dog: has only 3 photos to train on, and needs at least 4; correct",
            "“dog” has only 3 photos to learn",
        ),
        ("--action symlink: a store has no links", "symlink: a store has no links"),
        ("/x: Permission denied", "/x: Permission denied"),
    ],
)
def test_known_errors_say_what_to_press(error: str, said: str) -> None:
    assert reworded(error).startswith(said)


def test_a_notice_shows_no_flag(qtbot: QtBot) -> None:
    notice = Notice()
    qtbot.addWidget(notice)
    notice.complain("--out /a: is a file; name a folder", "&Continue")
    assert notice.text.text() == "/a: is a file; name a folder"
    assert not notice.button.isHidden()
    notice.complain("plain")
    assert notice.button.isHidden()


def test_every_reason_and_kind_has_words() -> None:
    for reason in Reason:
        text = failure_text(Failure(reason, "detail"))
        assert text
        assert text != f"{reason.value}: detail"
    assert "truncated" not in fault_text("truncated")
    assert kind_text(Kind.NEAR_DUPLICATE) == "similar"
    assert step_text("embedding") == "Learning what is in the photos"
    assert step_text("other work") == "Other work"

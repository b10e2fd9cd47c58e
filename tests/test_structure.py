"""The shape of the project: imports point one way, commands are documented, start-up stays light."""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from sorter.cli import build_parser

ROOT = Path(__file__).parents[1]
CONFIGURATION = ROOT / "setup.cfg"


def imports(module: Path) -> set[str]:
    """Names of the rooms that a module imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [
                f"{node.module}.{alias.name}" if node.module == "sorter" else node.module
                for alias in node.names
            ]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("sorter.")}
    return found


def room(module: Path) -> str:
    return module.relative_to(ROOT / "sorter").parts[0].removesuffix(".py")


def test_imports_point_one_way_through_at_most_a_dozen_layers() -> None:
    configuration = ConfigParser()
    configuration.read(CONFIGURATION, encoding="utf-8")
    house = configuration["importlinter:contract:house"]
    assert house["type"] == "layers"
    assert len(house["layers"].split("\n")[1:]) <= 12
    command = [Path(sys.executable).with_name("lint-imports"), CONFIGURATION]
    linter = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120
    )
    assert linter.returncode == 0, linter.stdout + linter.stderr


def test_at_most_nine_modules_lie_flat() -> None:
    assert len(list((ROOT / "sorter").glob("*.py"))) <= 9


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_no_two_public_classes_have_one_name() -> None:
    places: dict[str, set[Path]] = {}
    for module in modules("sorter", "gui"):
        for node in ast.parse(module.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, set()).add(module)
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_no_module_has_more_than_450_lines() -> None:
    lengths = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for path in modules("sorter", "gui", "scripts")
    }
    assert not {path: lines for path, lines in lengths.items() if lines > 450}


def test_only_the_window_knows_of_qt_and_nothing_but_its_command_knows_of_the_window() -> None:
    for module in (ROOT / "sorter").rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        if room(module) == "cli":
            continue
        assert "gui" not in imports(module), module
        assert not re.search(r"^\s*(import|from) PySide6", text, re.MULTILINE), module
    for module in (ROOT / "gui").rglob("*.py"):
        assert "cli" not in imports(module), module


def test_no_room_prints_but_the_command_line() -> None:
    for module in (ROOT / "sorter").rglob("*.py"):
        if room(module) == "cli":
            continue
        calls = [
            node.func
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
        ]
        assert not [call for call in calls if isinstance(call, ast.Name) and call.id in ("print", "exit")], (
            module
        )


def commands() -> dict[str, argparse.ArgumentParser]:
    (sub,) = [action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(sub.choices)


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_an_example_and_is_documented(name: str) -> None:
    parser = commands()[name]
    assert parser.description
    assert f"sorter {name} " in (parser.epilog or "")
    documents = (ROOT / "docs").rglob("*.md")
    assert any(f"sorter {name}" in page.read_text(encoding="utf-8") for page in documents)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert any(line.startswith("|") and f"sorter {name} " in line for line in readme.splitlines())
    for action in parser._actions:
        assert action.help, f"sorter {name}: {action.dest} has no help"


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from sorter.cli import build_parser; build_parser().format_help(); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {
        "numpy",
        "PIL",
        "torch",
        "onnxruntime",
        "openvino",
        "sqlite3",
        "multiprocessing",
        "tqdm",
        "sorter.sort.run",
    }
    assert not heavy & set(loaded)


def test_the_parent_of_a_run_loads_no_engine() -> None:
    code = "import sys, sorter.sort.run; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "PIL", "torch", "onnxruntime", "openvino", "jinja2"} & set(loaded)

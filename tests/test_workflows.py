"""The workflows and the files for containers: they parse, and name what is there."""

from __future__ import annotations

import re
import shlex
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest

from sorter.cli import build_parser

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CONTAINERS = sorted((ROOT / "docs" / "containers").glob("*.yaml"))


def setup() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def jobs(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return found


def test_tests_run_on_every_system_and_python_that_the_metadata_name() -> None:
    classifiers = setup()["metadata"]["classifiers"]
    pythons = re.findall(r"Python :: (3\.\d+)$", classifiers, re.MULTILINE)
    for name in ("light", "full"):
        matrix = jobs(ROOT / ".github/workflows/tests.yml")[name]["strategy"]["matrix"]
        assert matrix["python"] == pythons
        assert [system.partition("-")[0] for system in matrix["os"]] == ["ubuntu", "macos", "windows"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_names_what_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    extras = setup()["options.extras_require"]
    assert set(re.findall(r"\.\[(\w+)\]", text)) <= set(extras)
    for named in re.findall(r"(?:scripts|\.ci|\.github)/[\w./-]+", text):
        assert (ROOT / named).exists(), named
    for job in jobs(path).values():
        assert "uses" in job or job["timeout-minutes"] <= 120
        assert "uses" in job or all(step.keys() & {"run", "uses"} for step in job["steps"])
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("path", CONTAINERS, ids=lambda path: path.name)
def test_commands_for_containers_are_understood(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert list(yaml.safe_load_all(text))
    calls = re.findall(r"(?:^|: )\s*sorter (run .*)$", text, re.MULTILINE)
    assert calls
    for call in calls:
        build_parser().parse_args(shlex.split(call))


def test_the_image_holds_what_the_build_needs_and_runs_as_nobody() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored[0] == "**"
    for name in (each[1:] for each in ignored if each.startswith("!")):
        assert (ROOT / name).exists(), name
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "USER 1000:1000" in lines
    assert lines.index("USER 1000:1000") < lines.index('ENTRYPOINT ["sorter"]')

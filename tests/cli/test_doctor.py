"""`sorter doctor` and `sorter completion`, and the man page."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
from support.commands import Sorter

from sorter.cli import build_parser, doctor
from sorter.cli.completion import SHELLS


def test_what_is_installed_here_works(sorter: Sorter, tmp_path: Path) -> None:
    done = sorter("doctor", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["ok"]
    checks = {(each["kind"], each["name"]): each for each in found["checks"]}
    assert checks["package", "numpy"]["found"] == metadata.version("numpy")
    assert checks["engine", "onnx"]["works"]
    assert {name for kind, name in checks if kind == "format"} == {*doctor.SAMPLES, "raw files"}
    assert all(each["works"] for (kind, _), each in checks.items() if kind == "format")
    assert checks["model", "car"]["works"]
    assert not list(tmp_path.iterdir())


def test_what_is_missing_has_the_command_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    here = metadata.version

    def version(name: str) -> str:
        if name in ("torch", "pillow"):
            raise metadata.PackageNotFoundError(name)
        return here(name)

    monkeypatch.setattr(metadata, "version", version)
    found = {each.name: each for each in doctor._packages()}
    assert found["torch"] == doctor.Checkup(
        "package", "torch", None, "is not installed", 'pip install "sorter-photos[train]"'
    )
    assert found["pillow"].works is False
    lines = list(doctor._lines(list(found.values())))
    assert lines[-1] == "1 things are broken."
    assert any(line.startswith("  BROKEN  pillow") for line in lines)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_every_command(sorter: Sorter, shell: str) -> None:
    pytest.importorskip("shtab")
    done = sorter("completion", shell)
    assert done.returncode == 0, done.stderr
    for name in build_parser().commands():
        assert name in done.stdout
    program = shutil.which(shell)
    if program is not None:
        checked = subprocess.run(
            [program, "-n"], input=done.stdout, text=True, capture_output=True, check=False
        )
        assert checked.returncode == 0, checked.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes_flags_and_their_values(sorter: Sorter, tmp_path: Path) -> None:
    pytest.importorskip("shtab")
    (tmp_path / "completion").write_text(sorter("completion", "bash").stdout, encoding="utf-8")

    def completed(*typed: str) -> list[str]:
        line = " ".join(typed)
        script = (
            f"source {tmp_path / 'completion'}; COMP_WORDS=({line} ''); COMP_CWORD={len(typed)}; "
            if line.endswith("--action")
            else f"source {tmp_path / 'completion'}; COMP_WORDS=({line}); COMP_CWORD={len(typed) - 1}; "
        )
        script += "_shtab_sorter; printf '%s\\n' \"${COMPREPLY[@]}\""
        return subprocess.run(
            ["bash", "-c", script], text=True, capture_output=True, check=False
        ).stdout.split()

    assert completed("sorter", "und") == ["undo"]
    assert "--action" in completed("sorter", "run", "--act")
    assert "hardlink" in completed("sorter", "run", "--action")


def test_the_man_page_has_every_command() -> None:
    pytest.importorskip("argparse_manpage")
    from manpage import manpage

    page = manpage()
    for name in build_parser().commands():
        assert f"sorter {name}" in page.replace("\\-", "-")
    groff = shutil.which("groff")
    if groff is not None:
        made = subprocess.run(
            [groff, "-man", "-Tutf8"], input=page, text=True, capture_output=True, check=False
        )
        assert made.returncode == 0 and "sort photos into folders" in made.stdout

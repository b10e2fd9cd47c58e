"""The window's texts in other languages: extract them from the code, and make the files that the window loads.

It needs `pyside6-lupdate` and `pyside6-lrelease`, which come with PySide6.

Example:
    python scripts/translations.py             # every language in gui/translations
    python scripts/translations.py --add fr    # begin one
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

GUI = Path(__file__).resolve().parents[1] / "gui"
FOLDER = GUI / "translations"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--add", metavar="CODE", help="begin a language, such as fr or pt_BR")
    arguments = parser.parse_args()
    catalogues = sorted(FOLDER.glob("sorter_*.ts"))
    if arguments.add is not None:
        catalogues.append(FOLDER / f"sorter_{arguments.add}.ts")
    for catalogue in catalogues:
        extract(catalogue)
        release(catalogue)
        left = catalogue.read_text("utf-8").count('type="unfinished"')
        print(f"{catalogue.name}: {left} texts to translate" if left else f"{catalogue.name}: complete")
    return 0


def extract(catalogue: Path) -> None:
    """Add texts that the code has and the catalogue lacks. Texts that the code lacks go. Translations stay."""
    sources = sorted(str(path.relative_to(GUI.parent)) for path in GUI.rglob("*.py"))
    _run("lupdate", "-silent", "-no-obsolete", "-locations", "none", *sources, "-ts", str(catalogue))


def release(catalogue: Path, target: Path | None = None) -> None:
    """Make the file that the window loads, beside the catalogue unless told otherwise."""
    _run(
        "lrelease",
        "-silent",
        "-nounfinished",
        str(catalogue),
        "-qm",
        str(target or catalogue.with_suffix(".qm")),
    )


def _run(tool: str, *arguments: str) -> None:
    found = shutil.which(f"pyside6-{tool}", path=f"{Path(sys.executable).parent}") or shutil.which(
        f"pyside6-{tool}"
    )
    if found is None:
        raise SystemExit(f"pyside6-{tool} is not installed; install PySide6-Essentials")
    subprocess.run([found, *arguments], cwd=GUI.parent, check=True)


if __name__ == "__main__":
    sys.exit(main())

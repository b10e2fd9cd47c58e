"""Write docs/reference/commands.md from the parser of the command line.

python scripts/reference.py
"""

from __future__ import annotations

from pathlib import Path

from sorter.cli import build_parser
from sorter.cli.reference import render

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "commands.md"


def main() -> None:
    PAGE.write_text(render(build_parser()), encoding="utf-8")
    print(f"Written: {PAGE}")


if __name__ == "__main__":
    main()

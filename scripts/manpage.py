"""Write the man page from the parser of the command line.

python scripts/manpage.py sorter.1
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sorter.cli import build_parser
from sorter.distribution import installed_version


def manpage() -> str:
    """The page, in the language of `man`. Its date is SOURCE_DATE_EPOCH, or today."""
    from argparse_manpage.manpage import Manpage

    data = {
        "prog": "sorter",
        "description": "sort a folder of photos by what is in them",
        "project_name": "sorter",
        "version": installed_version(),
        "manual_title": "sorter's commands",
    }
    return str(Manpage(build_parser(), data, format="single-commands-section"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the man page.")
    parser.add_argument("target", type=Path, metavar="FILE", help="File to write, such as sorter.1.")
    target = parser.parse_args().target
    target.write_text(manpage(), encoding="utf-8")
    print(f"Written: {target}")


if __name__ == "__main__":
    main()

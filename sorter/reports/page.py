"""HTML pages that need nothing but themselves: templates filled in, written whole, and the folder they go to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sorter.files import atomic_text, part_path
from sorter.reports.ours import is_ours
from sorter.types import SorterError, UsageError

if TYPE_CHECKING:
    import jinja2

# Halves of surrogate pairs cannot be encoded. Control characters would vanish. Characters that turn the direction of
# writing would show one name as another.
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def write_page(target: Path, template: str, context: dict[str, Any]) -> None:
    """Fill in a template of `templates/` and write the page, whole or not at all. Values are escaped, Markup is not.

    Raises:
        SorterError: the file cannot be written.
    """
    try:
        with atomic_text(target, sync=True) as file:
            file.writelines(_template(template).generate(context))
    except OSError as error:
        raise SorterError(
            f"{target}: cannot be written ({error.strerror or error}); free some space or name another place"
        ) from error


def printable(text: str) -> str:
    """Text for a page. File names are any bytes, and what cannot be shown becomes an escape such as `\\udcff`."""
    return UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def take_report_folder(out: Path | None, files: Sequence[str]) -> None:
    """Make the folder before any work is done. A report replaces an earlier one of the same files, nothing else.

    Raises:
        UsageError: it holds something else, or cannot be made.
    """
    if out is None:
        return
    if not out.exists():
        try:
            out.mkdir(parents=True)
        except OSError as error:
            raise UsageError(
                f"--out {out}: cannot be made ({error.strerror}); name another folder"
            ) from error
        return
    if not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder")
    ours = {*files, *(part_path(out / name).name for name in files)}
    others = sorted(path.name for path in out.iterdir() if path.name not in ours)
    if others:
        raise UsageError(f"--out {out}: holds {others[0]}, which is no part of a report; name another folder")
    present = [out / name for name in files if (out / name).exists()]
    marked = [path for path in present if path.suffix != ".json"]
    # JSON bears no mark of ours: it is ours where it lies beside a page or a table of ours.
    if not all(map(is_ours, marked)) or (present and not marked):
        raise UsageError(
            f"--out {out}: holds {present[0].name} that sorter did not write; name another folder"
        )


def _template(name: str) -> jinja2.Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sorter.reports"),
        autoescape=True,
        # Applied to every value on the page, so that none is forgotten. Markup is escaped already.
        finalize=lambda value: printable(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = "{:,}".format
    return environment.get_template(name)

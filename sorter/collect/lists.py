"""Sources that need no search: a file of URLs, a local folder."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sorter.collect.licences import Licences
from sorter.collect.records import Candidate, PictureStatus, Refusal, ResultPage, plain
from sorter.output.disk import Filing, place
from sorter.photos.scan import Scan
from sorter.types import ActionKind, Photo, UsageError

URL_COLUMNS = ("url", "image_url", "image")


@dataclass(frozen=True)
class UrlList:
    """A source: the query names a text file with one URL a line, or a CSV file with a column `url`.

    A CSV file may also have `page`, `title`, `creator`, `licence` (or `license`) and `licence_url`. In a text file,
    lines that begin with `#` are comments.

    Attributes:
        licences: accepted licences. A limit drops URLs without a licence.
    """

    licences: Licences = field(default_factory=Licences)
    name: str = "urls"

    async def page(self, query: str, number: int) -> ResultPage:
        """All URLs of the file. Raises UsageError for a missing file, or one without URLs."""
        path = Path(query)
        try:
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}; name a file of URLs") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{path}: is not UTF-8 text; name a file of URLs") from error
        found = list(_rows(path, text) if path.suffix.lower() == ".csv" else _lines(text))
        if not found:
            raise UsageError(f"{path}: holds no URLs; put one on each line")
        return ResultPage([each for each in found if self.licences.allow(each.licence)], last=True)


@dataclass(frozen=True)
class PhotoFolder:
    """A source: the query names a folder of photos. They are copied.

    Attributes:
        include_protected: enter folders of other programs, as in `sorter.photos.protected`.
    """

    include_protected: bool = False
    name: str = "folder"

    async def page(self, query: str, number: int) -> ResultPage:
        """All photos below the folder. Raises UsageError for a missing folder."""
        path = Path(query)
        if not path.is_dir():
            raise UsageError(f"{path}: no such folder; name a folder of photos")
        scan = Scan((path.resolve(),), include_protected=self.include_protected)
        return ResultPage(_photos(scan), last=True)


def _lines(text: str) -> Iterator[Candidate]:
    for line in map(str.strip, text.splitlines()):
        if line and not line.startswith("#"):
            yield Candidate(line)


def _rows(path: Path, text: str) -> Iterator[Candidate]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
    column = next((names[name] for name in URL_COLUMNS if name in names), None)
    if column is None:
        raise UsageError(f"{path}: has no column url; its first line must name the columns")
    for row in reader:
        url = (row[column] or "").strip()
        if not url:
            continue

        def known(*columns: str, row: dict[str, str] = row) -> str:
            return next((plain(row[names[name]]) for name in columns if name in names), "")

        yield Candidate(
            url,
            page=known("page"),
            title=known("title"),
            creator=known("creator"),
            licence=known("licence", "license"),
            licence_url=known("licence_url", "license_url"),
        )


def _photos(scan: Scan) -> Iterator[Candidate]:
    for entry in scan:
        if isinstance(entry, Photo):
            yield Candidate(entry.path.as_uri(), title=entry.path.name)


def copy_photo(photo: Path, target: Path) -> Refusal | None:
    """Copy a local photo to where a download would go; None on success."""
    try:
        place(Filing(ActionKind.COPY, photo, target), target.with_name(target.name + ".part"))
    except FileNotFoundError:
        return Refusal(PictureStatus.LATER, "is no longer there")
    except PermissionError as error:
        return Refusal(PictureStatus.LATER, error.strerror or str(error))
    return None

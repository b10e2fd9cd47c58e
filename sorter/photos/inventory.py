"""Inventories of S3: a manifest, and the CSV or Parquet files that it names.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote_plus

from sorter.address import Address
from sorter.photos.rows import Row, parquet_records, text_of
from sorter.types import UsageError

# The columns as CSV names them in the manifest's schema, and as Parquet names them.
BUCKET, KEY, LATEST, DELETED = "bucket", "key", "islatest", "isdeletemarker"
PARQUET_NAMES = ("bucket", "key", "is_latest", "is_delete_marker")


def inventory_rows(manifest: Path) -> Iterator[Row]:
    """The objects of an inventory, as addresses. Older versions and delete markers are passed over.

    Its data files are those that lie beside a local manifest or in `data/` beside its folder, else those in the
    bucket that the manifest names.

    Raises:
        UsageError: the file is no manifest, or one of ORC files.
        OSError, SorterError: as `rows.read_rows`.
    """
    about = _manifest(manifest)
    numbers = count(1)
    for each in about["files"]:
        data = _data_file(manifest, about, each["key"])
        records = _csv_records(data, about) if about["fileFormat"] == "CSV" else _parquet_records(data)
        for record in records:
            number = next(numbers)
            if record.get(LATEST, "true") == "true" and record.get(DELETED, "false") == "false":
                yield Row(number, f"s3://{record.get(BUCKET) or about['sourceBucket']}/{record[KEY]}")


def _manifest(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            about: dict[str, Any] = json.loads(file.read())
        files, form = about["files"], about["fileFormat"]
        known = [each["key"] for each in files], about["sourceBucket"], about["destinationBucket"]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: is no manifest of an S3 inventory ({error!r}); name another list"
        ) from error
    del known
    if form not in ("CSV", "Parquet"):
        raise UsageError(f"{path}: is an inventory as {form}; order it as CSV or Parquet")
    return about


def _data_file(manifest: Path, about: Mapping[str, Any], key: str) -> Path:
    name = PurePosixPath(key).name
    if not isinstance(manifest, Address):
        for near in (
            manifest.parent / name,
            manifest.parent / "data" / name,
            manifest.parent.parent / "data" / name,
        ):
            if near.exists():
                return near
    bucket = str(about["destinationBucket"]).rpartition(":")[2]  # of arn:aws:s3:::bucket
    return Address(f"s3://{bucket}/{key}")


def _csv_records(data: Path, about: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Records of a file without a header. Its keys are encoded as in a URL."""
    names = [name.strip().lower() for name in about["fileSchema"].split(",")]
    with text_of(data) as text:
        for cells in csv.reader(text):
            record = dict(zip(names, cells, strict=False))
            yield {**record, KEY: unquote_plus(record[KEY], errors="surrogateescape")}


def _parquet_records(data: Path) -> Iterator[dict[str, str]]:
    for record in parquet_records(data, PARQUET_NAMES):
        yield {
            name.replace("_", ""): str(value).lower() if isinstance(value, bool) else value
            for name, value in record.items()
            if value is not None
        }

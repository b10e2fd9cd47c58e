"""A cache of `Examined` records, so that an unchanged file is not decoded again."""

from __future__ import annotations

import os
import sqlite3
import time
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from sorter.clean.records import Examined, from_text, to_text
from sorter.system import cache_folder
from sorter.types import Photo

VERSION = 6  # of the records' content. Older ones call JPEG XL, JPEG 2000 and PNM unsupported.
READERS = ("tifffile", "imagecodecs", "rawpy", "pillow_jxl", "pyvips")
DAYS = 180  # after which a row is deleted
BATCH = 256  # rows in one commit


class Cache:
    """Path, size and modification time -> `Examined`. A cache that cannot be read or written is left out.

    Args:
        settings: the options that the findings depend on.
        path: of the database; None for the user's cache folder.
    """

    def __init__(self, settings: str, path: Path | None = None) -> None:
        pillow, heif = metadata.version("pillow"), metadata.version("pillow-heif")
        # A file that is unsupported today may be read after one of these is installed.
        readers = "+".join(name for name in READERS if find_spec(name))
        self._settings = f"{VERSION} {pillow} {heif} {readers} {settings}"
        self._waiting = 0
        self._db: sqlite3.Connection | None = None
        folder = cache_folder() if path is None else path.parent
        if folder is None:
            return
        path = path or folder / "clean.db"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=5)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = OFF")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS examined (path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER, "
                "settings TEXT, day INTEGER, record TEXT)"
            )
            self._db.execute("DELETE FROM examined WHERE day < ?", (_today() - DAYS,))
            self._db.commit()
        except (OSError, sqlite3.Error):
            self._give_up()

    def get(self, photo: Photo) -> Examined | None:
        if self._db is None:
            return None
        try:
            row = self._db.execute(
                "SELECT record FROM examined WHERE path = ? AND size = ? AND mtime_ns = ? AND settings = ?",
                (os.fsencode(photo.path), photo.size, photo.mtime_ns, self._settings),
            ).fetchone()
            return from_text(row[0]) if row else None
        except (sqlite3.Error, ValueError, TypeError):
            return None

    def put(self, photo: Photo, examined: Examined) -> None:
        if self._db is None:
            return
        try:
            self._db.execute(
                "INSERT OR REPLACE INTO examined VALUES (?, ?, ?, ?, ?, ?)",
                (
                    os.fsencode(photo.path),
                    photo.size,
                    photo.mtime_ns,
                    self._settings,
                    _today(),
                    to_text(examined),
                ),
            )
            self._waiting += 1
            if self._waiting >= BATCH:
                self._db.commit()
                self._waiting = 0
        except sqlite3.Error:
            self._give_up()

    def close(self) -> None:
        if self._db is not None:
            try:
                self._db.commit()
            except sqlite3.Error:
                pass
            finally:
                self._give_up()

    def _give_up(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def _today() -> int:
    return int(time.time() // 86400)

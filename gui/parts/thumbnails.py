"""Small pictures, decoded off the window's thread. A bounded number in memory, more of them on disk."""

from __future__ import annotations

import io
import sqlite3
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal, Slot
from PySide6.QtGui import QImage

from sorter.photos.decode import Decoder
from sorter.system import cache_folder
from sorter.types import Failure

SIDES = (256, 512, 1024)  # pixels, of the squares that kept thumbnails fit in, one for each level
MEMORY = 96 << 20  # bytes of pixels
DISK = 512 << 20  # bytes
WAITING = 400  # that are still to be made: some screens full; older ones are asked for again when seen again
DAY = 86400

Key = tuple[bytes, int, int]  # the path it was scanned under, its size, its time of change
COLUMNS = "path BLOB, size INTEGER, mtime_ns INTEGER, day INTEGER, jpeg BLOB"
WHERE = "WHERE path = ? AND size = ? AND mtime_ns = ?"


def _table(side: int) -> str:
    """The table of a level. The first has the name that it had when it was the only one."""
    return "thumbnails" if side == SIDES[0] else f"thumbnails_{side}"


class Store:
    """JPEGs of thumbnails in one SQLite file, for any thread. What cannot be read or written is not there.

    Args:
        path: of the file; None for the user's cache folder.
        limit: bytes; beyond it those go that were not looked at for longest.
    """

    def __init__(self, path: Path | None = None, limit: int = DISK) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        folder = cache_folder() if path is None else path.parent
        if folder is None:
            return
        path = path or folder / "thumbnails.db"
        with suppress(OSError, sqlite3.Error):
            path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(path, timeout=5, check_same_thread=False, isolation_level=None)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = OFF")
            for side in SIDES:
                table = _table(side)
                db.execute(
                    f"CREATE TABLE IF NOT EXISTS {table} ({COLUMNS}, PRIMARY KEY (path, size, mtime_ns))"
                )
                db.execute(f"CREATE INDEX IF NOT EXISTS {table}_day ON {table} (day)")
            self._db = db

    def get(self, key: Key, side: int = SIDES[0]) -> bytes | None:
        with self._lock, suppress(sqlite3.Error):
            if self._db is None:
                return None
            table = _table(side)
            row = self._db.execute(f"SELECT jpeg, day FROM {table} {WHERE}", key).fetchone()
            if row is not None and row[1] != _today():
                self._db.execute(f"UPDATE {table} SET day = ? {WHERE}", (_today(), *key))
            return row[0] if row else None
        return None

    def put(self, key: Key, jpeg: bytes, side: int = SIDES[0]) -> None:
        with self._lock, suppress(sqlite3.Error):
            if self._db is not None:
                self._db.execute(
                    f"INSERT OR REPLACE INTO {_table(side)} VALUES (?, ?, ?, ?, ?)", (*key, _today(), jpeg)
                )

    def size(self) -> int:
        """Bytes in use."""
        with self._lock, suppress(sqlite3.Error):
            if self._db is not None:
                pages, free, page = (
                    self._db.execute(f"PRAGMA {each}").fetchone()[0]
                    for each in ("page_count", "freelist_count", "page_size")
                )
                return int((pages - free) * page)
        return 0

    def trim(self) -> None:
        """Keep to the limit: a tenth of each level goes at a time, the longest unseen first."""
        while self.size() > self._limit:
            if not sum(self._drop_a_tenth(_table(side)) for side in SIDES):
                return

    def _drop_a_tenth(self, table: str) -> int:
        with self._lock, suppress(sqlite3.Error):
            if self._db is not None:
                return self._db.execute(
                    f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} ORDER BY day, rowid "
                    f"LIMIT max(1, (SELECT count(*) FROM {table}) / 10))"
                ).rowcount
        return 0

    def close(self) -> None:
        self.trim()
        with self._lock, suppress(sqlite3.Error):
            if self._db is not None:
                self._db.close()
            self._db = None


Level = tuple[Key, int]  # and the level's side


class Thumbnails(QObject):
    """Thumbnails by key, in levels. Whoever paints asks. What is not there is made, and `ready` says when it is.

    Signals:
        ready: one more is there.
    """

    ready = Signal()
    _made = Signal(object, int, object)

    def __init__(
        self, pool: QThreadPool, store: Store, parent: QObject | None = None, memory: int = MEMORY
    ) -> None:
        super().__init__(parent)
        self._pool = pool
        self._store = store
        self._memory = memory
        self._kept: OrderedDict[Level, QImage] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()  # of what follows
        self._waiting: OrderedDict[Level, Path] = OrderedDict()
        self._makers = 0
        self._closed = False
        self._made.connect(self._keep, Qt.ConnectionType.QueuedConnection)

    @property
    def bytes_kept(self) -> int:
        """Pixels in memory."""
        return self._bytes

    def get(self, key: Key, path: Path, pixels: int = SIDES[0]) -> QImage | None:
        """The thumbnail, upright. A null image where the photo cannot be decoded. None while it is being made.

        Args:
            pixels: of the screen, that its longer side will cover. A smaller level stands in until this one is made.
        """
        side = next((each for each in SIDES if each >= pixels), SIDES[-1])
        stand_in = None
        for each in SIDES:
            image = self._kept.get((key, each))
            if image is None:
                continue
            self._kept.move_to_end((key, each))
            # A photo that is smaller than its level is there whole.
            if each >= side or max(image.width(), image.height()) < each:
                return image
            stand_in = image
        self._ask((key, side), path)
        return stand_in

    def _ask(self, level: Level, path: Path) -> None:
        with self._lock:
            if self._closed:
                return
            self._waiting[level] = path
            self._waiting.move_to_end(level)
            while len(self._waiting) > WAITING:
                self._waiting.popitem(last=False)
            # One thread stays free for the preview and the disk.
            more = self._makers < max(1, self._pool.maxThreadCount() - 1)
            self._makers += more
        if more:
            self._pool.start(_Maker(self))

    def close(self) -> None:
        """Make no more, and keep to the disk's limit."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
        self._pool.waitForDone()
        self._store.close()

    # -- in a thread of the pool -------------------------------------------------------------------------------

    def make_waiting(self) -> None:
        """Make what waits, the latest asked for first: that is what is on the screen."""
        decoders = {side: Decoder(side) for side in SIDES}
        while True:
            with self._lock:
                if not self._waiting:
                    self._makers -= 1
                    return
                (key, side), path = self._waiting.popitem()
            image = self._make(decoders[side], key, side, path)
            with suppress(RuntimeError):  # the window was closed meanwhile
                self._made.emit(key, side, image)

    def _make(self, decoder: Decoder, key: Key, side: int, path: Path) -> QImage:
        jpeg = self._store.get(key, side)
        if jpeg is None:
            decoded = decoder(path)
            if isinstance(decoded, Failure):
                return QImage()
            small = Image.fromarray(decoded.pixels)
            small.thumbnail((side, side), reducing_gap=2.0)
            buffer = io.BytesIO()
            small.save(buffer, "JPEG", quality=85)
            jpeg = buffer.getvalue()
            self._store.put(key, jpeg, side)
        # As it is painted: conversions cost the window's thread nothing.
        return QImage.fromData(jpeg).convertToFormat(QImage.Format.Format_RGB32)

    # -- in the window's thread --------------------------------------------------------------------------------

    @Slot(object, int, object)
    def _keep(self, key: Key, side: int, image: QImage) -> None:
        if (key, side) not in self._kept:
            self._kept[key, side] = image
            self._bytes += image.sizeInBytes()
        while self._bytes > self._memory and len(self._kept) > 1:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.sizeInBytes()
        self.ready.emit()


class _Maker(QRunnable):
    def __init__(self, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._thumbnails = thumbnails

    def run(self) -> None:
        self._thumbnails.make_waiting()


def to_image(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> QImage:
    """uint8 (height, width, 3) -> an image with pixels of its own."""
    height, width, _ = pixels.shape
    data = np.ascontiguousarray(pixels)
    return QImage(data.data, width, height, 3 * width, QImage.Format.Format_RGB888).convertToFormat(
        QImage.Format.Format_RGB32
    )


def _today() -> int:
    return int(time.time() / DAY)

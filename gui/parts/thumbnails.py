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

SIDE = 256  # pixels, of the square that a kept thumbnail fits in
MEMORY = 96 << 20  # bytes of pixels
DISK = 512 << 20  # bytes
WAITING = 400  # that are still to be made: some screens full; older ones are asked for again when seen again
DAY = 86400

Key = tuple[bytes, int, int]  # the path it was scanned under, its size, its time of change


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
            db.execute(
                "CREATE TABLE IF NOT EXISTS thumbnails (path BLOB, size INTEGER, mtime_ns INTEGER, day INTEGER, "
                "jpeg BLOB, PRIMARY KEY (path, size, mtime_ns))"
            )
            db.execute("CREATE INDEX IF NOT EXISTS thumbnails_day ON thumbnails (day)")
            self._db = db

    def get(self, key: Key) -> bytes | None:
        with self._lock, suppress(sqlite3.Error):
            if self._db is None:
                return None
            where = "WHERE path = ? AND size = ? AND mtime_ns = ?"
            row = self._db.execute(f"SELECT jpeg, day FROM thumbnails {where}", key).fetchone()
            if row is not None and row[1] != _today():
                self._db.execute(f"UPDATE thumbnails SET day = ? {where}", (_today(), *key))
            return row[0] if row else None
        return None

    def put(self, key: Key, jpeg: bytes) -> None:
        with self._lock, suppress(sqlite3.Error):
            if self._db is not None:
                self._db.execute(
                    "INSERT OR REPLACE INTO thumbnails VALUES (?, ?, ?, ?, ?)", (*key, _today(), jpeg)
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
        """Keep to the limit: a tenth goes at a time, the longest unseen first."""
        while self.size() > self._limit:
            with self._lock, suppress(sqlite3.Error):
                if self._db is None:
                    return
                gone = self._db.execute(
                    "DELETE FROM thumbnails WHERE rowid IN (SELECT rowid FROM thumbnails ORDER BY day, rowid "
                    "LIMIT max(1, (SELECT count(*) FROM thumbnails) / 10))"
                ).rowcount
                if gone > 0:
                    continue
            return

    def close(self) -> None:
        self.trim()
        with self._lock, suppress(sqlite3.Error):
            if self._db is not None:
                self._db.close()
            self._db = None


class Thumbnails(QObject):
    """Thumbnails by key. Whoever paints asks. What is not there is made, and `ready` says when it is.

    Signals:
        ready: one more is there.
    """

    ready = Signal()
    _made = Signal(object, object)

    def __init__(
        self, pool: QThreadPool, store: Store, parent: QObject | None = None, memory: int = MEMORY
    ) -> None:
        super().__init__(parent)
        self._pool = pool
        self._store = store
        self._memory = memory
        self._kept: OrderedDict[Key, QImage] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()  # of what follows
        self._waiting: OrderedDict[Key, Path] = OrderedDict()
        self._makers = 0
        self._closed = False
        self._made.connect(self._keep, Qt.ConnectionType.QueuedConnection)

    @property
    def bytes_kept(self) -> int:
        """Pixels in memory."""
        return self._bytes

    def get(self, key: Key, path: Path) -> QImage | None:
        """The thumbnail, upright. A null image where the photo cannot be decoded. None while it is being made."""
        image = self._kept.get(key)
        if image is not None:
            self._kept.move_to_end(key)
            return image
        with self._lock:
            if self._closed:
                return None
            self._waiting[key] = path
            self._waiting.move_to_end(key)
            while len(self._waiting) > WAITING:
                self._waiting.popitem(last=False)
            # One thread stays free for the preview and the disk.
            more = self._makers < max(1, self._pool.maxThreadCount() - 1)
            self._makers += more
        if more:
            self._pool.start(_Maker(self))
        return None

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
        decoder = Decoder(SIDE)
        while True:
            with self._lock:
                if not self._waiting:
                    self._makers -= 1
                    return
                key, path = self._waiting.popitem()
            image = self._make(decoder, key, path)
            with suppress(RuntimeError):  # the window was closed meanwhile
                self._made.emit(key, image)

    def _make(self, decoder: Decoder, key: Key, path: Path) -> QImage:
        jpeg = self._store.get(key)
        if jpeg is None:
            decoded = decoder(path)
            if isinstance(decoded, Failure):
                return QImage()
            small = Image.fromarray(decoded.pixels)
            small.thumbnail((SIDE, SIDE), reducing_gap=2.0)
            buffer = io.BytesIO()
            small.save(buffer, "JPEG", quality=85)
            jpeg = buffer.getvalue()
            self._store.put(key, jpeg)
        # As it is painted: conversions cost the window's thread nothing.
        return QImage.fromData(jpeg).convertToFormat(QImage.Format.Format_RGB32)

    # -- in the window's thread --------------------------------------------------------------------------------

    @Slot(object, object)
    def _keep(self, key: Key, image: QImage) -> None:
        if key not in self._kept:
            self._kept[key] = image
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

"""One SQLite file per output folder: what was seen, decided and done. Resume, undo, reports and the GUI read it."""

from sorter.journal.place import FILE, FOLDER, JournalError, home, locked, translated
from sorter.journal.reading import Entry, Filed, Known, Line
from sorter.journal.schema import VERSION
from sorter.journal.writing import Journal, Row, copy_journal

__all__ = [
    "FILE",
    "FOLDER",
    "VERSION",
    "Entry",
    "Filed",
    "Journal",
    "JournalError",
    "Known",
    "Line",
    "Row",
    "copy_journal",
    "home",
    "locked",
    "translated",
]

"""One SQLite file per output folder: what was seen, decided and done. Resume, undo, reports and the GUI read it."""

from sorter.output.journal.location import FILE, FOLDER, JournalError, home, locked, translated
from sorter.output.journal.reading import Entry, Filed, Known, Line
from sorter.output.journal.schema import VERSION
from sorter.output.journal.writing import Journal, Row, copy_journal

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

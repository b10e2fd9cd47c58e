"""One SQLite file per output folder: what was seen, decided and done. Resume, undo, reports and the GUI read it."""

from sorter.output.journal.location import FILE, FOLDER, JournalError, journal_folder, locked, sqlite_errors
from sorter.output.journal.reading import Entry, Filed, Known, Line
from sorter.output.journal.schema import VERSION
from sorter.output.journal.writing import Journal, PhotoRow, copy_journal

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
    "PhotoRow",
    "copy_journal",
    "journal_folder",
    "locked",
    "sqlite_errors",
]

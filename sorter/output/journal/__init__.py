"""One SQLite file per output folder: what was seen, decided and done. Resume, undo, reports and the GUI read it."""

from sorter.output.journal.companions import KeptCompanion
from sorter.output.journal.history import ClassStep, ThresholdStep
from sorter.output.journal.location import (
    FILE,
    FOLDER,
    JournalError,
    JournalInUseError,
    journal_folder,
    kept_elsewhere,
    lock_file,
    locked,
    settle,
    sqlite_errors,
)
from sorter.output.journal.reading import Entry, Filed, Known, Line, PhotoColumns
from sorter.output.journal.schema import VERSION
from sorter.output.journal.settings import NO_RULE, RunSettings
from sorter.output.journal.steps import CorrectionSteps
from sorter.output.journal.writing import Journal, PhotoRow, copy_journal

__all__ = [
    "FILE",
    "FOLDER",
    "NO_RULE",
    "VERSION",
    "ClassStep",
    "CorrectionSteps",
    "Entry",
    "Filed",
    "Journal",
    "JournalError",
    "JournalInUseError",
    "KeptCompanion",
    "Known",
    "Line",
    "PhotoColumns",
    "PhotoRow",
    "RunSettings",
    "ThresholdStep",
    "copy_journal",
    "journal_folder",
    "kept_elsewhere",
    "lock_file",
    "locked",
    "settle",
    "sqlite_errors",
]

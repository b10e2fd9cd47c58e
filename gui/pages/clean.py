"""Broken and duplicate files: find, compare, choose which to remove, move them to a quarantine that can be undone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLocale, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sorter.clean.options import CleanOptions
from sorter.clean.records import NO_FAULT, Checked, Kind
from sorter.sort.options import options_of_last_run
from sorter.types import SorterError

from .. import tasks
from ..parts.compare import Compare
from ..parts.drop import dropped_folder
from ..parts.fault_list import FaultList, members, proposed, removable
from ..parts.words import kind_text, reworded
from ..settings import Settings
from ..tasks import Cleaned, CleanFindings, DuplicateGroup, Restored
from ..worker import Jobs
from .job_page import JobPage

REMOVED = ("broken", "duplicates", "near-duplicates", "similar")
SET_ASIDE = (
    "Set aside by Sorter"  # a folder; its name is the same in every language, so that it is found again
)
REPORT = "clean.csv"
LISTED = 5  # files that a message names


class CleanPage(JobPage):
    """The fourth page.

    Attributes:
        findings: broken files and duplicates of the folder, or None before it was searched.
        chosen: files that are to be moved to the quarantine.
    """

    def __init__(self, jobs: Jobs, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(jobs, settings, self.tr("files"), parent)
        self.findings: CleanFindings | None = None
        self.chosen: set[Path] = set()
        self._sizes: dict[Path, int] = {}
        self.setAcceptDrops(True)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setAccessibleName(self.tr("Result of the search"))
        self.summary.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Maximum)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(self._make_top())
        layout.addWidget(self.notice)
        layout.addWidget(self.progress)
        layout.addWidget(self.summary)
        layout.addWidget(self._make_middle(), 1)
        layout.addLayout(self._make_bottom())
        self._show(None)

    # -- how it is put together --------------------------------------------------------------------------------

    def _make_top(self) -> QHBoxLayout:
        self.folder = QLineEdit()
        self.folder.setAccessibleName(self.tr("Folder to clean"))
        self.folder.setPlaceholderText(self.tr("A folder of photos; drop one here or choose it"))
        self.folder.setClearButtonEnabled(True)
        self.folder.returnPressed.connect(self.search)
        self.folder.textChanged.connect(self.notice.clear)
        label = QLabel(self.tr("&Folder"))
        label.setBuddy(self.folder)
        self.choose_button = self._button(
            self.tr("Choose..."), self.tr("Choose a folder to clean"), self.choose
        )
        self.choose_button.setAccessibleName(self.tr("Choose a folder to clean"))
        self.search_button = self._button(
            self.tr("Find &duplicates and broken files"),
            self.tr("Read every file and find broken ones and duplicates. Nothing is changed."),
            self.search,
        )
        self.search_button.setDefault(True)
        top = QHBoxLayout()
        top.addWidget(label)
        top.addWidget(self.folder, 1)
        top.addWidget(self.choose_button)
        top.addWidget(self.search_button)
        return top

    def _make_middle(self) -> QWidget:
        self.list = FaultList()
        self.list.currentItemChanged.connect(self._compare)
        self.compare = Compare(self._jobs)
        self.compare.kept.connect(self._keep)
        self.compare.best_wanted.connect(self._keep_best_of_several)
        self.split = QSplitter()
        self.split.addWidget(self.list)
        self.split.addWidget(self.compare)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([380, 620])
        self.middle = QStackedWidget()
        self.middle.addWidget(QWidget())  # where there is nothing to show
        self.middle.addWidget(self.split)
        return self.middle

    def _make_bottom(self) -> QHBoxLayout:
        self.best_button = self._button(
            self.tr("Keep &best only"), self.tr("Of this group, keep only the best copy"), self.keep_best
        )
        self.all_button = self._button(
            self.tr("Keep &all"), self.tr("Keep every file of this group"), self.keep_all
        )
        self.undo_button = self._button(
            self.tr("&Put back"),
            self.tr("Put every file in the quarantine back where it was"),
            self.undo_quarantine,
        )
        self.report_button = self._button(
            self.tr("&Report..."), self.tr("Everything found and done, in the browser"), self.open_report
        )
        self.go_button = self._button(self.tr("&Set aside files"), "", self.quarantine)
        bottom = QHBoxLayout()
        for widget in (self.best_button, self.all_button):
            bottom.addWidget(widget)
        bottom.addStretch(1)
        for widget in (self.report_button, self.undo_button, self.go_button):
            bottom.addWidget(widget)
        return bottom

    def _button(self, text: str, tip: str, press: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text.replace("&", "").removesuffix("..."))
        button.setToolTip(tip)
        button.clicked.connect(press)
        return button

    # -- finding -----------------------------------------------------------------------------------------------

    def open(self, folder: Path) -> None:
        """Propose a folder: for results, the folder that the photos came from."""
        self._jobs.later(lambda: _photos_of(folder), self._propose)

    def _propose(self, folder: Path | SorterError | OSError) -> None:
        if isinstance(folder, Path) and not self.busy and str(folder) != self.folder.text():
            self.folder.setText(str(folder))
            self._show(None)

    @Slot()
    def choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("A folder of photos"), self.folder.text())
        if folder:
            self.folder.setText(folder)
            self.search()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if not self.busy and dropped_folder(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        folder = dropped_folder(event)
        if folder is not None:
            event.acceptProposedAction()
            self.folder.setText(str(folder))
            self.search()

    @Slot()
    def search(self) -> None:
        """Find broken files and duplicates in the folder. Changes nothing."""
        folder = self.folder.text().strip()
        if not folder:
            self.notice.complain(self.tr("Choose a folder of photos first, or drop one here."))
            return
        # Within the folder: nothing appears beside it, and files are set aside on the same disk.
        place = Path(folder).expanduser()
        aside = place / SET_ASIDE
        options = CleanOptions((place,), remove=REMOVED, quarantine=aside, report=aside / REPORT)
        self._run(self.tr("Reading every file"), tasks.find_faults, options, self._show)

    def _run(
        self, title: str, call: Callable[..., Any], options: CleanOptions, finished: Callable[[Any], None]
    ) -> None:
        stopped = self.tr("Stopped. Results so far are kept. Searching again continues from there.")
        self.run_job(title, call, options, finished=finished, cancelled=stopped)

    # -- what was found ----------------------------------------------------------------------------------------

    @Slot(object)
    def _show(self, findings: CleanFindings | None) -> None:
        self.findings = findings
        entries: tuple[DuplicateGroup | Checked, ...] = ()
        if findings is not None:
            entries = (*findings.groups, *findings.broken)
        self.chosen = set() if findings is None else proposed(findings)
        self._sizes = {each.path: each.size for entry in entries for each in members(entry)}
        self.compare.show_files((), frozenset(), None)
        self.middle.setCurrentIndex(int(bool(entries)))
        self.summary.setText(
            self.tr(
                "Finds broken files and copies of the same picture. Nothing is touched before you say so, and files "
                "that you set aside can be put back."
            )
            if findings is None
            else self._sentence(findings)
        )
        self.list.show_findings(findings, self.chosen)
        self.update_controls()

    def _sentence(self, findings: CleanFindings) -> str:
        number, summary = QLocale().toString, findings.summary
        files = sum(summary.counts.values())
        parts = [
            self.tr("{n} {kind}").format(n=number(n), kind=kind_text(Kind(kind)))
            for kind, n in sorted(summary.counts.items(), key=lambda pair: list(Kind).index(Kind(pair[0])))
            if Kind(kind) not in NO_FAULT
        ]
        if not parts:
            return self.tr("{n} files read: nothing is wrong with any of them.").format(n=number(files))
        sentence = self.tr("{n} files read: {parts}; {groups} groups of the same picture.").format(
            n=number(files), parts=", ".join(parts), groups=number(summary.groups)
        )
        shown = len(findings.groups), len(findings.broken)
        if shown < (summary.groups, summary.counts.get(Kind.BROKEN.value, 0)):
            sentence += " " + self.tr("The first are listed. The others follow when these are done.")
        return sentence

    # -- choosing ----------------------------------------------------------------------------------------------

    @Slot()
    def _compare(self) -> None:
        files = self.list.current_files()
        if files:
            best = next((each.path for each in files if not removable(each)), None)
            self.compare.show_files(files, frozenset(self.chosen), best if len(files) > 1 else None)
        self.update_controls()

    def _keep(self, path: Path, stays: bool) -> None:
        """Keep or remove one file. Of the same picture one copy always stays."""
        files = self.list.current_files()
        others = [each.path for each in files if each.path != path and each.path not in self.chosen]
        if stays:
            self.chosen.discard(path)
        elif len(files) > 1 and not others:
            self.notice.complain(self.tr("One copy has to stay. Choose another one to keep first."))
        else:
            self.chosen.add(path)
        self._show_choice()

    @Slot()
    def keep_best(self) -> None:
        """Of the group in view, remove all but the best copy."""
        for each in self.list.current_files():
            if removable(each):
                self.chosen.add(each.path)
            else:
                self.chosen.discard(each.path)
        self._show_choice()

    @Slot()
    def _keep_best_of_several(self) -> None:
        if self.best_button.isEnabled():
            self.keep_best()

    @Slot()
    def keep_all(self) -> None:
        self.chosen -= {each.path for each in self.list.current_files()}
        self._show_choice()

    def _show_choice(self) -> None:
        self.list.update_current(self.chosen)
        self.compare.mark(frozenset(self.chosen))
        self.update_controls()

    def update_controls(self) -> None:
        idle, compared = not self.busy, self.middle.currentWidget() is self.split
        for widget in (self.folder, self.choose_button, self.search_button, self.split):
            widget.setEnabled(idle)
        for button in (self.best_button, self.all_button):
            button.setVisible(compared)
            button.setEnabled(idle and len(self.list.current_files()) > 1)
        self.go_button.setVisible(compared)
        self.go_button.setEnabled(idle and bool(self.chosen))
        self._name_go_button()
        quarantined = self.findings is not None and self.findings.summary.quarantine is not None
        self.undo_button.setVisible(quarantined)
        self.undo_button.setEnabled(idle)
        self.report_button.setVisible(quarantined and self._report() is not None)

    def _name_go_button(self) -> None:
        locale, count = QLocale(), len(self.chosen)
        size = sum(self._sizes.get(path, 0) for path in self.chosen)
        data = locale.formattedDataSize(size, 1, QLocale.DataSizeFormat.DataSizeSIFormat)
        text = (
            self.tr("&Set aside 1 file ({size})") if count == 1 else self.tr("&Set aside {n} files ({size})")
        )
        text = text.format(n=locale.toString(count), size=data) if count else self.tr("&Set aside files")
        self.go_button.setText(text)
        self.go_button.setAccessibleName(text.replace("&", ""))
        quarantine = None if self.findings is None else self.findings.options.quarantine
        tip = self.tr("Move them to {folder}. “Put back” moves them back.").format(folder=quarantine)
        self.go_button.setToolTip(tip if quarantine else "")

    # -- doing -------------------------------------------------------------------------------------------------

    @Slot()
    def quarantine(self) -> None:
        """Move the chosen files to the quarantine."""
        if self.findings is None or not self.chosen:
            return
        stay = {
            each.path
            for group in self.findings.groups
            if any(one.path in self.chosen for one in group.members)
            for each in group.members
            if each.path not in self.chosen
        }
        options = replace(self.findings.options, only=frozenset(self.chosen), prefer=frozenset(stay))
        self._run(self.tr("Setting files aside"), tasks.quarantine, options, self._show_cleaned)

    @Slot(object)
    def _show_cleaned(self, cleaned: Cleaned) -> None:
        number = QLocale().toString
        self._show(cleaned.findings)
        sentence = self.tr("{folder} holds {n} files. “Put back” moves them back.").format(
            folder=cleaned.findings.options.quarantine,
            n=number(cleaned.summary.actions.get("quarantined", 0)),
        )
        failed = [(why, n) for why, n in cleaned.summary.actions.items() if why.startswith("failed")]
        for why, n in failed:
            sentence += "\n" + self.tr("{n} stay where they are: {why}").format(
                n=number(n), why=reworded(why.removeprefix("failed: "))
            )
        (self.notice.complain if failed else self.notice.say)(sentence)

    @Slot()
    def undo_quarantine(self) -> None:
        """Put every file of the quarantine back."""
        if self.findings is not None:
            options = self.findings.options
            self._run(self.tr("Putting files back"), tasks.undo_quarantine, options, self._show_restored)

    @Slot(object)
    def _show_restored(self, restored: Restored) -> None:
        self._show(restored.findings)
        count = QLocale().toString(restored.undone.restored)
        sentence = self.tr("{n} files are back where they were.").format(n=count)
        for each in restored.undone.left[:LISTED]:
            sentence += "\n" + self.tr("Left: {path}: {why}").format(
                path=each.path, why=reworded(each.message)
            )
        self.notice.say(sentence)

    @Slot()
    def open_report(self) -> None:
        report = self._report()
        if report is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(report)))

    def _report(self) -> Path | None:
        if self.findings is None or self.findings.options.quarantine is None:
            return None
        page = self.findings.options.quarantine / "clean.html"
        return page if page.exists() else None


def _photos_of(folder: Path) -> Path:
    """Where the photos of an output folder came from. Any other folder is itself."""
    try:
        inputs = options_of_last_run(folder).inputs
    except SorterError:
        return folder
    return inputs[0] if inputs else folder  # a list named them

"""Broken and duplicate files: look, compare, choose which go, move them to a quarantine that can be undone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QLocale, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from sorter.clean.options import CleanOptions
from sorter.clean.records import NO_FAULT, Checked, Kind
from sorter.sort.options import remembered
from sorter.types import SorterError

from .. import tasks
from ..parts.compare import Compare
from ..parts.progress import Notice, ProgressPanel
from ..settings import Settings
from ..tasks import Alike, Cleaned, Found, PutBack
from ..worker import Job, Jobs
from .start import dropped

REMOVED = ("broken", "duplicates", "near-duplicates")


class CleanPage(QWidget):
    """The fourth page."""

    def __init__(self, jobs: Jobs, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._settings = settings
        self._job: Job | None = None
        self.found: Found | None = None
        self.going: set[Path] = set()
        self._sizes: dict[Path, int] = {}
        self.setAcceptDrops(True)
        self._build()
        self._show(None)

    # -- the page ----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.folder = QLineEdit()
        self.folder.setAccessibleName(self.tr("Folder to clean"))
        self.folder.setPlaceholderText(self.tr("A folder of photos; drop one here or choose it"))
        self.folder.setClearButtonEnabled(True)
        self.folder.returnPressed.connect(self.look)
        label = QLabel(self.tr("&Folder"))
        label.setBuddy(self.folder)
        self.choose_button = self._button(
            self.tr("Choose …"), self.tr("Choose a folder to clean"), self.choose
        )
        self.look_button = self._button(
            self.tr("&Look for faults"),
            self.tr("Read every file whole and find broken files and duplicates; nothing is touched"),
            self.look,
        )
        self.look_button.setDefault(True)
        top = QHBoxLayout()
        top.addWidget(label)
        top.addWidget(self.folder, 1)
        top.addWidget(self.choose_button)
        top.addWidget(self.look_button)

        self.notice = Notice()
        self.progress = ProgressPanel(self.tr("files"))
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setAccessibleName(self.tr("What was found"))
        self.summary.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Groups of duplicates and broken files"))
        self.list.setUniformItemSizes(True)
        self.list.setMinimumWidth(220)
        self.list.setSpacing(2)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(self._compare)
        self.compare = Compare(self._jobs)
        self.compare.kept.connect(self._keep)
        self.split = QSplitter()
        self.split.addWidget(self.list)
        self.split.addWidget(self.compare)
        self.split.setStretchFactor(1, 1)
        self.split.setSizes([300, 700])

        self.middle = QStackedWidget()
        self.middle.addWidget(QWidget())  # where there is nothing to show
        self.middle.addWidget(self.split)

        self.best_button = self._button(
            self.tr("Keep the &best"), self.tr("Of this group only the best copy stays"), self.keep_best
        )
        self.all_button = self._button(self.tr("Keep &all"), self.tr("All of these stay"), self.keep_all)
        self.undo_button = self._button(
            self.tr("&Undo: put everything back"),
            self.tr("Put everything that lies in the quarantine back to where it was"),
            self.put_back,
        )
        self.report_button = self._button(
            self.tr("&Report …"), self.tr("What was found and done, in the browser"), self.open_report
        )
        self.go_button = self._button(self.tr("&Move to quarantine"), "", self.set_apart)
        self.chosen = QLabel()
        self.chosen.setAccessibleName(self.tr("What is chosen"))
        bottom = QHBoxLayout()
        for widget in (self.best_button, self.all_button):
            bottom.addWidget(widget)
        bottom.addStretch(1)
        for each in (self.chosen, self.report_button, self.undo_button, self.go_button):
            bottom.addWidget(each)

        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(top)
        layout.addWidget(self.notice)
        layout.addWidget(self.progress)
        layout.addWidget(self.summary)
        layout.addWidget(self.middle, 1)
        layout.addLayout(bottom)

    def _button(self, text: str, tip: str, press: object) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(tip if text.startswith("Choose") else text.replace("&", ""))
        button.setToolTip(tip)
        button.clicked.connect(press)
        return button

    # -- looking -----------------------------------------------------------------------------------------------

    def open(self, folder: Path) -> None:
        """Propose a folder: of one that was sorted into, the folder that the photos came from."""
        self._jobs.later(lambda: _photos_of(folder), self._propose)

    def _propose(self, folder: Path | SorterError | OSError) -> None:
        if isinstance(folder, Path) and self._job is None and str(folder) != self.folder.text():
            self.folder.setText(str(folder))
            self.notice.clear()
            self._show(None)

    @Slot()
    def choose(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("A folder of photos"), self.folder.text())
        if folder:
            self.folder.setText(folder)
            self.look()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._job is None and dropped(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        folder = dropped(event)
        if folder is not None:
            event.acceptProposedAction()
            self.folder.setText(str(folder))
            self.look()

    @Slot()
    def look(self) -> None:
        """Find what is wrong in the folder; touches nothing."""
        folder = self.folder.text().strip()
        if not folder:
            self.notice.complain(self.tr("Choose a folder of photos first, or drop one here."))
            return
        options = CleanOptions((Path(folder).expanduser(),), remove=REMOVED)
        self._start(self.tr("Looking at every file"), tasks.look, options)

    def _start(self, what: str, call: object, options: CleanOptions) -> None:
        if self._job is not None:
            return
        self.notice.clear()
        assert callable(call)
        job = self._job = self._jobs.start(call, options)
        self.progress.follow(job, what)
        job.finished.connect(self._finish)
        job.failed.connect(self.notice.complain)
        job.cancelled.connect(self._cancelled)
        job.ended.connect(self._end)
        self._enable()

    @property
    def busy(self) -> bool:
        return self._job is not None

    @Slot(object)
    def _finish(self, record: Found | Cleaned | PutBack) -> None:
        number = QLocale().toString
        if isinstance(record, Found):
            self._show(record)
            return
        self._show(record.found)
        if isinstance(record, PutBack):
            said = self.tr("{n} files are back where they were.").format(n=number(record.undone.restored))
            for each in record.undone.left[:5]:
                said += "\n" + self.tr("Left: {path}: {why}").format(path=each.path, why=each.message)
            self.notice.say(said)
            return
        moved = record.summary.actions.get("quarantined", 0)
        said = self.tr("{folder} holds {n} files; Undo puts them back.").format(
            folder=record.found.options.quarantine, n=number(moved)
        )
        failed = [(why, n) for why, n in record.summary.actions.items() if why.startswith("failed")]
        for why, n in failed:
            said += "\n" + self.tr("{n} stay where they are: {why}").format(
                n=number(n), why=why.removeprefix("failed: ")
            )
        (self.notice.complain if failed else self.notice.say)(said)

    @Slot()
    def _cancelled(self) -> None:
        self.notice.say(self.tr("Stopped. What was found out is kept: looking again goes on where it was."))

    @Slot()
    def _end(self) -> None:
        self._job = None
        self._enable()

    # -- what was found ----------------------------------------------------------------------------------------

    def _show(self, found: Found | None) -> None:
        self.found = found
        self.going = set()
        self._sizes = {}
        self.list.clear()
        self.compare.show_files((), frozenset(), None)
        self.middle.setCurrentIndex(int(found is not None and bool(found.groups or found.broken)))
        if found is None:
            self.summary.setText(
                self.tr(
                    "Every file is read whole: broken ones and copies of the same picture are shown here. Nothing is "
                    "touched before you say so, and what goes to the quarantine can be put back."
                )
            )
        else:
            self.summary.setText(self._sentence(found))
            for group in found.groups:
                # Exact copies lose nothing; of pictures that only look alike a person should say.
                if group.exact:
                    self.going |= {each.path for each in group.members if _may_go(each)}
                self._add(group)
            for file in found.broken:
                self.going.add(file.path)
                self._add(file)
            self.list.setCurrentRow(0)
        self._enable()

    def _add(self, what: Alike | Checked) -> None:
        for each in _files(what):
            self._sizes[each.path] = each.size
        item = QListWidgetItem()
        item.setData(Qt.ItemDataRole.UserRole, what)
        self._name(item)
        self.list.addItem(item)

    def _name(self, item: QListWidgetItem) -> None:
        """Say of a line how many of its files go."""
        what = item.data(Qt.ItemDataRole.UserRole)
        files = _files(what)
        goes = sum(each.path in self.going for each in files)
        if isinstance(what, Checked):
            reason = what.findings[0].reason if what.findings else what.verdict.value
            text = self.tr("{reason}: {name}").format(reason=reason, name=what.path.name)
            tail = self.tr("goes") if goes else self.tr("stays")
        else:
            kind = self.tr("{n} copies of {name}") if what.exact else self.tr("{n} look like {name}")
            text = kind.format(n=len(files), name=files[0].path.name)
            several = self.tr("{n} go").format(n=goes) if goes > 1 else self.tr("1 goes")
            tail = several if goes else self.tr("all stay")
        item.setText(f"{text} · {tail}")
        item.setToolTip("\n".join(str(each.path) for each in files[:10]))

    def _sentence(self, found: Found) -> str:
        number, summary = QLocale().toString, found.summary
        files = sum(summary.counts.values())
        parts = [
            self.tr("{n} {kind}").format(n=number(n), kind=kind)
            for kind, n in sorted(summary.counts.items(), key=lambda pair: list(Kind).index(Kind(pair[0])))
            if Kind(kind) not in NO_FAULT
        ]
        if not parts:
            return self.tr("{n} files looked at: nothing is wrong with any of them.").format(n=number(files))
        said = self.tr("{n} files looked at: {parts}; {groups} groups of the same picture.").format(
            n=number(files), parts=", ".join(parts), groups=number(summary.groups)
        )
        shown = len(found.groups), len(found.broken)
        if shown < (summary.groups, summary.counts.get(Kind.BROKEN.value, 0)):
            said += " " + self.tr("The first are listed; the others follow when these are done.")
        return said

    @Slot()
    def _compare(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            files = _files(item.data(Qt.ItemDataRole.UserRole))
            best = next((each.path for each in files if not _may_go(each)), None)
            self.compare.show_files(files, frozenset(self.going), best if len(files) > 1 else None)
        self._enable()

    def _keep(self, path: Path, stays: bool) -> None:
        """A person says of one file whether it stays; of the same picture one always does."""
        item = self.list.currentItem()
        files = _files(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ()
        others = [each.path for each in files if each.path != path and each.path not in self.going]
        if stays:
            self.going.discard(path)
        elif len(files) > 1 and not others:
            self.notice.complain(self.tr("One copy has to stay: choose another one to keep first."))
        else:
            self.going.add(path)
        self._choose()

    @Slot()
    def keep_best(self) -> None:
        """Of the group in view, let all but the best copy go."""
        for each in self._current():
            if _may_go(each):
                self.going.add(each.path)
            else:
                self.going.discard(each.path)
        self._choose()

    @Slot()
    def keep_all(self) -> None:
        self.going -= {each.path for each in self._current()}
        self._choose()

    def _choose(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            self._name(item)
        self.compare.mark(frozenset(self.going))
        self._enable()

    def _current(self) -> tuple[Checked, ...]:
        item = self.list.currentItem()
        return _files(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ()

    def _enable(self) -> None:
        idle = self._job is None
        for widget in (self.folder, self.choose_button, self.look_button, self.split):
            widget.setEnabled(idle)
        current = self._current()
        for button in (self.best_button, self.all_button):
            button.setVisible(self.middle.currentWidget() is self.split)
            button.setEnabled(idle and len(current) > 1)
        self.go_button.setVisible(self.middle.currentWidget() is self.split)
        self.go_button.setEnabled(idle and bool(self.going))
        quarantine = self.found.options.quarantine if self.found is not None else None
        self.go_button.setToolTip(
            self.tr("To {folder}; Undo puts everything back").format(folder=quarantine) if quarantine else ""
        )
        in_quarantine = self.found is not None and self.found.summary.quarantine is not None
        self.undo_button.setVisible(in_quarantine)
        self.undo_button.setEnabled(idle)
        self.report_button.setVisible(in_quarantine and self._report() is not None)
        size = sum(self._sizes.get(path, 0) for path in self.going)
        self.chosen.setText(
            self.tr("{n} files, {size}").format(
                n=QLocale().toString(len(self.going)),
                size=QLocale().formattedDataSize(size, 1, QLocale.DataSizeFormat.DataSizeSIFormat),
            )
            if self.going
            else ""
        )

    # -- doing -------------------------------------------------------------------------------------------------

    @Slot()
    def set_apart(self) -> None:
        """Move what is chosen to the quarantine."""
        if self.found is None or not self.going:
            return
        stay = {
            each.path
            for group in self.found.groups
            if any(one.path in self.going for one in group.members)
            for each in group.members
            if each.path not in self.going
        }
        options = replace(self.found.options, only=frozenset(self.going), prefer=frozenset(stay))
        self._start(self.tr("Moving files to the quarantine"), tasks.set_apart, options)

    @Slot()
    def put_back(self) -> None:
        """Undo: empty the quarantine."""
        if self.found is not None:
            self._start(self.tr("Putting files back"), tasks.put_back_and_look, self.found.options)

    @Slot()
    def open_report(self) -> None:
        report = self._report()
        if report is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(report)))

    def _report(self) -> Path | None:
        if self.found is None or self.found.options.quarantine is None:
            return None
        page = self.found.options.quarantine.parent / "clean.html"
        return page if page.exists() else None


def _files(what: Alike | Checked) -> tuple[Checked, ...]:
    return (what,) if isinstance(what, Checked) else what.members


def _may_go(file: Checked) -> bool:
    """Sorter would keep another copy in its place, or none."""
    return file.duplicate_of is not None or file.verdict is Kind.BROKEN


def _photos_of(folder: Path) -> Path:
    """Where the photos of an output folder came from; any other folder is itself."""
    try:
        return remembered(folder).inputs[0]
    except SorterError:
        return folder

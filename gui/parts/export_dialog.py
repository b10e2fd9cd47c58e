"""Which photos are copied, and where to."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QLocale, Slot
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from sorter.output.disk import free_name


class ExportDialog(QDialog):
    """All photos or the checked ones, into a folder that is made.

    Args:
        out: the folder under review.
        photos: that can be copied.
        checked: of those, by a person.
    """

    def __init__(self, out: Path, photos: int, checked: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._out = out
        self.setWindowTitle(self.tr("Export"))
        number = QLocale().toString
        about = QLabel(self.tr("Copies the photos into a folder for each class. Nothing is moved."))
        about.setWordWrap(True)
        self.all = QRadioButton(self.tr("&All photos ({n})").format(n=number(photos)))
        self.checked = QRadioButton(self.tr("Only those you &checked ({n})").format(n=number(checked)))
        self.checked.setEnabled(checked > 0)
        self.all.setChecked(True)
        self.target = QLineEdit(str(_free(out.with_name(self._name))))
        self.target.setAccessibleName(self.tr("Copy to"))
        label = QLabel(self.tr("Copy &to"))
        label.setBuddy(self.target)
        choose = QPushButton(self.tr("Choose..."))
        choose.setAccessibleName(self.tr("Choose where to copy the photos"))
        choose.clicked.connect(self.choose)
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self.target, 1)
        row.addWidget(choose)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        buttons.addButton(self.tr("&Copy"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (about, self.all, self.checked):
            column.addWidget(widget)
        column.addLayout(row)
        column.addWidget(buttons)
        self.resize(560, 0)

    @property
    def _name(self) -> str:
        return self.tr("{folder} export").format(folder=self._out.name)

    @property
    def folder(self) -> Path:
        """Where to copy to."""
        return Path(self.target.text().strip()).expanduser()

    @Slot()
    def choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Choose where to copy the photos"))
        if chosen:
            self.put_into(Path(chosen))

    def put_into(self, chosen: Path) -> None:
        """Into an empty folder itself. Into a new folder of any other."""
        empty = next(chosen.iterdir(), None) is None
        self.target.setText(str(chosen if empty else _free(chosen / self._name)))


def _free(wanted: Path) -> Path:
    return free_name(wanted, lambda path: path.exists() or path.is_symlink())

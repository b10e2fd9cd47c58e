"""Live curves of a training: loss and balanced accuracy, epoch by epoch, plotted by pyqtgraph."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ..worker import Jobs

# Distinct without seeing colours, too: M. Okabe and K. Ito, https://jfly.uni-koeln.de/color; darker and lighter.
LIGHT = {"train": "#0072b2", "val": "#d55e00"}
DARK = {"train": "#56b4e9", "val": "#e69f00"}


class Curves(QWidget):
    """Two plots side by side."""

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._rows: list[dict[str, Any]] = []
        self._asked = False
        self._plots: list[Any] = []
        self._lines: dict[str, Any] = {}
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._wait = QLabel(self.tr("Error and right answers of every round will be drawn here."))
        self._wait.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._layout.addWidget(self._wait)
        self.setMinimumHeight(190)
        self.setAccessibleName(self.tr("Curves of error and right answers"))

    @property
    def epochs(self) -> int:
        return len(self._rows)

    def points(self, name: str) -> list[float]:
        """What is drawn of one line: `train_loss`, `val_loss` or `val_balanced_accuracy`."""
        _, y = self._lines[name].getData()
        return [] if y is None else [float(each) for each in y]

    def get_ready(self) -> None:
        """Import the plots in a thread: that takes a second."""
        if not self._asked:
            self._asked = True
            self._jobs.later(_import_plots, self._build)

    def clear(self) -> None:
        self._rows = []
        self._draw()

    def add(self, row: dict[str, Any]) -> None:
        """One more epoch: a row of the history."""
        self._rows.append(row)
        self._draw()

    def _build(self, plots: ModuleType | Exception) -> None:
        if isinstance(plots, Exception):
            self._wait.setText(self.tr("The part of Sorter that draws curves is not installed."))
            return
        self._wait.hide()
        make: Callable[..., Any] = plots.PlotWidget
        for title, names in (
            (self.tr("Error"), {"train_loss": self.tr("training"), "val_loss": self.tr("validation")}),
            (self.tr("Right answers"), {"val_balanced_accuracy": self.tr("validation")}),
        ):
            plot = make(title=title)
            plot.setAccessibleName(title)
            plot.setMouseEnabled(False, False)
            plot.hideButtons()
            plot.setMenuEnabled(False)
            plot.showGrid(x=True, y=True, alpha=0.2)
            plot.addLegend(offset=(-8, 8 if "train_loss" in names else -8))
            plot.setLabel("bottom", self.tr("round"))
            plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            for name, text in names.items():
                self._lines[name] = plot.plot([], [], name=text)
            self._plots.append(plot)
            self._layout.addWidget(plot)
        self._plots[1].setYRange(0.0, 1.05, padding=0)
        self._colour()
        self._draw()

    def _draw(self) -> None:
        epochs = [row["epoch"] for row in self._rows]
        for name, line in self._lines.items():
            line.setData(epochs, [row[name] for row in self._rows])

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._colour()
        super().changeEvent(event)

    def _colour(self) -> None:
        """As the rest of the window, light or dark."""
        if not self._plots:
            return
        from pyqtgraph import mkPen

        palette = self.palette()
        base, text = palette.color(QPalette.ColorRole.Base), palette.color(QPalette.ColorRole.Text)
        colours = DARK if base.lightness() < 128 else LIGHT
        for plot in self._plots:
            plot.setBackground(base)
            item = plot.getPlotItem()
            item.setTitle(item.titleLabel.text, color=text, size="10pt")
            for side in ("left", "bottom"):
                item.getAxis(side).setPen(mkPen(text))
                item.getAxis(side).setTextPen(mkPen(text))
            for _, label in item.legend.items:
                label.setText(label.text, color=text)
        for name, line in self._lines.items():
            kind = "train" if name.startswith("train") else "val"
            style = Qt.PenStyle.DashLine if kind == "train" else Qt.PenStyle.SolidLine
            line.setPen(mkPen(QColor(colours[kind]), width=2, style=style))


def _import_plots() -> ModuleType | Exception:
    try:
        return import_module("pyqtgraph")
    except ImportError as error:
        return error

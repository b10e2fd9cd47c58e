"""Teach classes of one's own: name them, give each some photos, learn."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from PySide6.QtCore import QLocale, Signal, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from sorter.model.folder import ClassNameError, check_labels
from sorter.train.teach import TaughtClass, TeachOptions, TeachResult

from .. import tasks
from ..parts.class_card import ClassCard
from ..parts.model_shelf import ModelShelf
from ..parts.steps import LearningSteps
from ..parts.thumbnails import Thumbnails
from ..settings import Settings
from ..worker import Jobs
from .job_page import JobPage

FEWEST = 2  # classes
NEEDED = ("sklearn", "matplotlib", "onnx", "safetensors")


class TeachPage(JobPage):
    """Cards of classes, and the button that learns.

    Signals:
        learned: the folder of a new model.
        sort_wanted: sort photos with this model.
        left: back to where the page was opened from.
    """

    learned = Signal(Path)
    sort_wanted = Signal(Path)
    left = Signal()

    def __init__(
        self,
        jobs: Jobs,
        settings: Settings,
        shelf: ModelShelf,
        thumbnails: Thumbnails,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(jobs, settings, self.tr("photos"), parent)
        self._shelf = shelf
        self._thumbnails = thumbnails
        self._target: Path | None = None  # the model that is being learned
        self._taught: Path | None = None  # the model that was learned last
        self._classes: tuple[TaughtClass, ...] = ()  # that it learns
        self.cards: list[ClassCard] = []
        self.steps = LearningSteps()
        self.model_name = QLineEdit()
        self.model_name.setAccessibleName(self.tr("Name of the model"))
        self.problem = QLabel()
        self.problem.setAccessibleName(self.tr("What is still needed"))
        self.problem.setWordWrap(True)
        self.problem.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.add_button = self._button(self.tr("&Add a class"), self.add_class)
        self.back_button = self._button(self.tr("&Back"), self.left.emit)
        self.learn_button = self._button(self.tr("&Learn"), self.learn)
        self.learn_button.setDefault(True)
        self.learn_button.setMinimumWidth(140)
        self.sort_button = self._button(self.tr("&Sort photos with it..."), self._want_sort)
        self.sort_button.setDefault(True)
        self._lay_out()
        self.start()

    def _button(self, text: str, press: object) -> QPushButton:
        button = QPushButton(text)
        button.setAccessibleName(text.replace("&", "").removesuffix("..."))
        button.clicked.connect(press)
        return button

    def _lay_out(self) -> None:
        about = QLabel(
            self.tr("Name two classes or more, and drop ten photos or a folder on each. Then press Learn.")
        )
        about.setWordWrap(True)
        label = QLabel(self.tr("&Name of the model"))
        label.setBuddy(self.model_name)
        name = QHBoxLayout()
        name.addWidget(label)
        name.addWidget(self.model_name, 1)
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self.add_button)
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        bottom = QHBoxLayout()
        bottom.addWidget(self.back_button)
        bottom.addWidget(self.problem, 1)
        bottom.addWidget(self.learn_button)
        bottom.addWidget(self.sort_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(about)
        layout.addWidget(scroll, 1)
        layout.addLayout(name)
        layout.addWidget(self.notice)
        layout.addWidget(self.steps)
        layout.addWidget(self.progress)
        layout.addLayout(bottom)

    # -- the classes -------------------------------------------------------------------------------------------

    def start(self, classes: tuple[TaughtClass, ...] = (), name: str = "") -> None:
        """Begin with these classes, or with two empty ones."""
        if self.busy:
            return
        for card in list(self.cards):
            self.remove_class(card, keep=0)
        self.notice.clear()
        self._taught = None
        self.model_name.setText(name)
        for each in classes:
            card = self.add_class()
            card.name.setText(each.name)
            card.add(list(each.photos))
        while len(self.cards) < FEWEST:
            self.add_class()
        self.update_controls()

    @Slot()
    def add_class(self) -> ClassCard:
        """One more, empty."""
        card = ClassCard(self._jobs, self._thumbnails)
        card.changed.connect(self._edited)
        card.removed.connect(lambda: self.remove_class(card))
        self._column.insertWidget(len(self.cards), card)
        self.cards.append(card)
        self.update_controls()
        card.name.setFocus()
        return card

    def remove_class(self, card: ClassCard, keep: int = FEWEST) -> None:
        """Two always stay, maybe empty."""
        self.cards.remove(card)
        card.hide()
        card.deleteLater()
        if len(self.cards) < keep:
            self.add_class()
        self.update_controls()

    @Slot()
    def _edited(self) -> None:
        self._taught = None
        self.update_controls()

    def update_controls(self) -> None:
        problem = "" if self.busy else self._problem()
        self.problem.setText(problem)
        self.learn_button.setEnabled(not problem and not self.busy)
        self.learn_button.setVisible(self._taught is None)
        self.sort_button.setVisible(self._taught is not None)
        self.model_name.setPlaceholderText(self._suggested_name())
        for widget in (*self.cards, self.add_button, self.model_name, self.back_button):
            widget.setEnabled(not self.busy)

    def _suggested_name(self) -> str:
        return ", ".join(filter(None, (card.name.text().strip() for card in self.cards)))

    def _problem(self) -> str:
        """Why it cannot learn yet. Empty where it can."""
        if any(find_spec(name) is None for name in NEEDED):
            return (
                self.tr("Learning needs parts of Sorter that are not installed.")
                + " "
                + self.tr("Ask whoever installed Sorter to add “learn”.")
            )
        names = [card.name.text().strip() for card in self.cards]
        if not all(names):
            return self.tr("Give each class a name.")
        try:
            check_labels(Path(), names)
        except ClassNameError:
            return self.tr("Two classes have the same name, or a name that no folder can have.")
        few = next((card.name.text() for card in self.cards if not card.enough), None)
        return "" if few is None else self.tr("“{name}” needs more photos.").format(name=few)

    # -- learning ----------------------------------------------------------------------------------------------

    @Slot()
    def learn(self) -> None:
        """Learn the classes. The new model is kept in the app's own folder."""
        if self.busy or self._problem():
            return
        name = self.model_name.text().strip() or self._suggested_name()
        self._target = self._shelf.new_folder(name)
        self._classes = tuple(card.taught for card in self.cards)
        began = self.run_job(
            self.tr("Learning"),
            tasks.teach,
            TeachOptions(self._classes, self._target),
            finished=self._finish,
            cancelled=self.tr("Stopped. Nothing was learned."),
        )
        if began and self._job is not None:
            self.steps.follow(self._job)

    @Slot(object)
    def _finish(self, taught: TeachResult) -> None:
        self._taught = taught.model
        self._shelf.keep_examples(taught.model, self._classes)
        self.notice.say(self._verdict(taught))
        self._settings.model = taught.model
        self.learned.emit(taught.model)

    def _verdict(self, taught: TeachResult) -> str:
        number = QLocale().toString
        text = self.tr(
            "“{name}” has learned {classes} classes from {photos} photos. "
            "Tested on photos it had not seen, it is right on {right} of {tested}."
        ).format(
            name=taught.model.name,
            classes=number(len(taught.classes)),
            photos=number(taught.photos),
            right=number(taught.right),
            tested=number(taught.tested),
        )
        if taught.failed:
            text += " " + self.tr("{n} couldn't be read.").format(n=number(taught.failed))
        return text

    def clear_up(self) -> None:
        target = self._target
        if target is not None:
            self._jobs.later(lambda: self._shelf.remove(target), lambda _: None)

    @Slot()
    def _want_sort(self) -> None:
        if self._taught is not None:
            self.sort_wanted.emit(self._taught)

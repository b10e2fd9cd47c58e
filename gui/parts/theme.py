"""The window's one look: greys, an accent, sizes, light and dark."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from ..settings import Settings
from .colours import luminance
from .icons import retint

LOOK = Path(__file__).resolve().parents[1] / "look"
GRID = 8  # pixels; distances are multiples or halves of it
TEXT, HEADING, TITLE = 13, 15, 20  # pixels of type


class Theme(Enum):
    """Which colours the window has."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Shades:
    """The colours of one theme, as `#rrggbb`.

    Attributes:
        window: behind everything.
        field: where something is listed, shown or typed.
        raised: of a button.
        hover: of a button under the mouse.
        line: between parts, and around fields.
        edge: around what can be pressed or typed into; at least 3 : 1 on `window` and `field`.
        text: what is read first.
        muted: what is read second.
        faint: what cannot be used now.
        accent: the next step, what is chosen.
        on_accent: text on it.
        link: the accent as text.
        bad: an error, as text.
    """

    window: str
    field: str
    raised: str
    hover: str
    line: str
    edge: str
    text: str
    muted: str
    faint: str
    accent: str
    on_accent: str
    link: str
    bad: str


DARK = Shades(
    window="#2a2a2a",
    field="#1f1f1f",
    raised="#3a3a3a",
    hover="#474747",
    line="#3a3a3a",
    edge="#7c7c7c",
    text="#f2f2f2",
    muted="#b8b8b8",
    faint="#808080",
    accent="#2f6fdf",
    on_accent="#ffffff",
    link="#8ab4ff",
    bad="#ff9c91",
)
LIGHT = Shades(
    window="#f4f4f4",
    field="#ffffff",
    raised="#e6e6e6",
    hover="#d9d9d9",
    line="#d0d0d0",
    edge="#828282",
    text="#1f1f1f",
    muted="#555555",
    faint="#8a8a8a",
    accent="#2360c8",
    on_accent="#ffffff",
    link="#1f57b8",
    bad="#a8201a",
)


def contrast(one: str, other: str) -> float:
    """From 1 to 21, as in WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)."""
    darker, lighter = sorted((luminance(QColor(one)), luminance(QColor(other))))
    return (lighter + 0.05) / (darker + 0.05)


def palette_of(shades: Shades) -> QPalette:
    """For Qt's own widgets, and for whatever paints itself."""
    role, palette = QPalette.ColorRole, QPalette()
    colours = {
        role.Window: shades.window,
        role.Base: shades.field,
        role.AlternateBase: shades.window,
        role.Button: shades.raised,
        role.ToolTipBase: shades.raised,
        role.Mid: shades.line,
        role.Midlight: shades.hover,
        role.Dark: shades.edge,
        role.WindowText: shades.text,
        role.Text: shades.text,
        role.ButtonText: shades.text,
        role.ToolTipText: shades.text,
        role.BrightText: shades.bad,
        role.PlaceholderText: shades.muted,
        role.Link: shades.link,
        role.Highlight: shades.accent,
        role.HighlightedText: shades.on_accent,
    }
    for each, colour in colours.items():
        palette.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, QColor(shades.faint))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(shades.hover))
    return palette


@lru_cache(maxsize=2)
def style_sheet(shades: Shades) -> str:
    """The shapes of buttons and fields, in these colours."""
    text = (LOOK / "window.qss").read_text("utf-8")
    for each in fields(Shades):
        text = text.replace(f"@{each.name};", f"{getattr(shades, each.name)};")
    return text.replace("@look", LOOK.as_posix())


def app_icon() -> QIcon:
    return QIcon(str(LOOK / "sorter.svg"))


class Appearance(QObject):
    """Gives the whole app the chosen theme, and follows the system where that is chosen.

    Signals:
        changed: other colours are in force.
    """

    changed = Signal()

    def __init__(self, app: QApplication, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._app = app
        self._settings = settings
        app.setStyle("Fusion")
        app.setWindowIcon(app_icon())
        font = QFont(app.font())
        font.setPixelSize(TEXT)
        app.setFont(font)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)
        self._apply()

    @property
    def theme(self) -> Theme:
        """As chosen."""
        try:
            return Theme(self._settings.theme)
        except ValueError:
            return Theme.SYSTEM

    @property
    def shades(self) -> Shades:
        """The colours in force."""
        if self.theme is Theme.SYSTEM:
            dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        else:
            dark = self.theme is Theme.DARK
        return DARK if dark else LIGHT

    def names(self) -> dict[Theme, str]:
        """What the themes are called."""
        return {
            Theme.SYSTEM: self.tr("As the &system"),
            Theme.LIGHT: self.tr("&Light"),
            Theme.DARK: self.tr("&Dark"),
        }

    def choose(self, theme: Theme) -> None:
        """Use this theme from now on."""
        self._settings.theme = theme.value
        self._apply()

    def _follow(self) -> None:
        if self.theme is Theme.SYSTEM:
            self._apply()

    def _apply(self) -> None:
        shades = self.shades
        self._app.setPalette(palette_of(shades))
        sheet = style_sheet(shades)
        if self._app.styleSheet() != sheet:
            self._app.setStyleSheet(sheet)
        for window in self._app.topLevelWidgets():
            retint(window)
        self.changed.emit()

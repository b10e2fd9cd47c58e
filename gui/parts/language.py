"""The language of the window: the system's, or the one that was chosen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

FOLDER = Path(__file__).resolve().parents[1] / "translations"
SOURCE = "en"  # the language of the texts in the code
PREFIX = "sorter_"


def languages() -> list[str]:
    """Codes of the languages that the window speaks, such as `de`."""
    return [SOURCE, *sorted(path.stem.removeprefix(PREFIX) for path in FOLDER.glob(f"{PREFIX}*.qm"))]


def native_name(code: str) -> str:
    """A language's own name for itself, such as `Deutsch`."""
    if code == SOURCE:
        return "English"  # Qt's name for it is that of a country's English
    name = QLocale(code).nativeLanguageName()
    return name[:1].upper() + name[1:]


class Language:
    """Translates the application from now on: widgets that are made later speak this language.

    Args:
        chosen: a code of `languages`; empty for the system's language, or English where that is not there.
    """

    def __init__(self, app: QCoreApplication, chosen: str = "") -> None:
        self._app = app
        self._translators: list[QTranslator] = []
        locale = QLocale(chosen) if chosen in languages() else QLocale.system()
        own = QTranslator(app)
        # Qt asks for each of the user's languages in turn. English texts are in the code.
        first = [code for code in _preferred(locale) if code in languages()][:1]
        self.code = first[0] if first else SOURCE
        if self.code == SOURCE or not own.load(str(FOLDER / f"{PREFIX}{self.code}.qm")):
            self.code = SOURCE
        else:
            self._install(own)
            self._install(self._buttons())
        if chosen:
            QLocale.setDefault(locale)

    def _buttons(self) -> QTranslator:
        """Qt's own texts, such as those of Cancel and of the dialogs that choose files."""
        theirs = QTranslator(self._app)
        theirs.load(f"qtbase_{self.code}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))
        return theirs

    def _install(self, translator: QTranslator) -> None:
        if not translator.isEmpty():
            self._app.installTranslator(translator)
            self._translators.append(translator)

    def remove(self) -> None:
        """Speak English again."""
        for translator in self._translators:
            self._app.removeTranslator(translator)
        self._translators = []
        QLocale.setDefault(QLocale.system())


def _preferred(locale: QLocale) -> list[str]:
    """Codes of languages, the most wanted first."""
    return [name.replace("_", "-").split("-")[0] for name in locale.uiLanguages()]

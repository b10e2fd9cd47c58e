"""The distribution on the package index: its name, its version, and the command that brings one of its extras.

The command and the import are `sorter`. That name belongs to another project on PyPI.
"""

from __future__ import annotations

NAME = "sorter-photos"


def install_command(extra: str = "") -> str:
    """The command that installs sorter with an extra, such as `pip install "sorter-photos[train]"`."""
    return f'pip install "{NAME}[{extra}]"' if extra else f"pip install {NAME}"


def installed_version() -> str:
    """The version of the installed distribution; `unknown` in a source tree that was never installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(NAME)
    except PackageNotFoundError:
        return "unknown"

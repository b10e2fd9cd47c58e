"""Keys that mark a photo as a class."""

from __future__ import annotations

DIGITS = 9


def class_keys(classes: tuple[str, ...], letters: bool = True) -> dict[str, int]:
    """A key's text -> the code of its class: 1 to 9.

    Args:
        letters: also by the first letter of each name that is still free.
    """
    keys = {str(number + 1): number for number in range(min(DIGITS, len(classes)))}
    for code, label in enumerate(classes if letters else ()):
        for letter in label.lower():
            if letter.isalpha() and letter not in keys:
                keys[letter] = code
                break
    return keys


def keys_of(keys: dict[str, int]) -> dict[int, list[str]]:
    """The code of a class -> its keys, as they are printed on a keyboard."""
    by_class: dict[int, list[str]] = {}
    for key, code in keys.items():
        by_class.setdefault(code, []).append(key.upper())
    return by_class

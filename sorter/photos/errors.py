"""What the readers of formats raise, and `Decoder` makes a `Failure` of."""

from __future__ import annotations


class UnsupportedError(Exception):
    """The file may be whole, but nothing installed shows it rightly. The message says what to do."""


class TruncatedError(Exception):
    """The file ends before its pixels do."""


class TooLargeError(Exception):
    """More pixels or bytes than the limits allow."""

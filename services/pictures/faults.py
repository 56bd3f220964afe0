"""What is wrong with a picture, in words for whoever sent it."""

from __future__ import annotations


class BrokenPicture(ValueError):
    """A picture that isn't taken; its message is one sentence, safe to show."""

    def __init__(self, message: str = "The picture is broken.", *, code: str = "format") -> None:
        super().__init__(message)
        self.code = code
        """``format``, or ``too_large``."""

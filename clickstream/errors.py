"""Errors that reach a person: what happened, and what to do next."""


class ClickstreamError(Exception):
    """A failure that a user can act on.

    Attributes:
        hint: What to do next, one sentence; empty if there is nothing to be done.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ServiceUnavailableError(ClickstreamError):
    """A service of the stack does not answer."""


class BadInputError(ClickstreamError):
    """A file or an argument that a user gave can't be used as a whole."""

"""Errors that a user can mend: one clear line, exit code 2."""

from __future__ import annotations


class UserError(Exception):
    """Wrong use or bad input. The message is one line that says what to do; no traceback is shown.

    Attributes:
        exit_code: of a command that ends with it.
    """

    exit_code = 2


class InputError(UserError, ValueError):
    """An array that is given has another type, shape or size than the function takes."""


class OutputError(UserError):
    """An output could not be written to its end, such as a recording on a full disk; the rest is kept."""

    exit_code = 1


class ClosedError(UserError, RuntimeError):
    """It is called after its `close`."""


class LostError(UserError):
    """A source that was open gives nothing any more, and did not come back in time."""

    exit_code = 1

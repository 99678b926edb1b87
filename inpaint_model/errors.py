"""Errors that a user can mend: one clear line, exit code 2."""

from __future__ import annotations


class UserError(Exception):
    """Wrong use or bad input. The message is one line that says what to do; no traceback is shown."""


class InputError(UserError, ValueError):
    """An array that is given has another type, shape or size than the function takes."""


class ClosedError(UserError, RuntimeError):
    """It is called after its `close`."""

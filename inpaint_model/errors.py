"""The error that a user can mend: one clear line, exit code 2."""

from __future__ import annotations


class UserError(Exception):
    """Wrong use or bad input. The message is one line that says what to do; no traceback is shown."""

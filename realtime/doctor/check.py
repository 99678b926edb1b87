"""The result of one check of `unmask doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "bad"]


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: what was checked.
        state: "ok"; "note": it works, or files can be unmasked without it; "bad": it does not work.
        found: what was found.
        fix: what the user can do, one step a line; empty if nothing needs to be done. `pip install` in it
            is printed so that it works on this Python.
    """

    name: str
    state: State
    found: str
    fix: str = ""

    @property
    def fatal(self) -> bool:
        """Whether it prevents pictures and videos from being unmasked."""
        return self.state == "bad"

"""One thing that `unmask doctor` examined, and its mend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "bad"]


@dataclass(frozen=True)
class Check:
    """One thing examined.

    Attributes:
        what: its name.
        state: "ok"; "note": works, or is not needed to unmask files; "bad": does not work.
        found: what was found.
        mend: what to do; empty where nothing is to be done.
    """

    what: str
    state: State
    found: str
    mend: str = ""

    @property
    def fatal(self) -> bool:
        """Whether pictures and videos cannot be unmasked because of it."""
        return self.state == "bad"

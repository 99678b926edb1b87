"""Starts the command `unmask`, unless another project's package has the place of `realtime`."""

from __future__ import annotations

import importlib
import sys
from importlib.util import find_spec
from pathlib import Path

DISTRIBUTION = "unmask-video"  # stands in the `__init__.py` of each package of ours


def is_ours(package: str) -> bool:
    """Say whether Python finds our package of this name; it is not imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return False
    return DISTRIBUTION in Path(spec.origin).read_text(encoding="utf-8", errors="replace")


def main() -> None:
    """Entry point of `unmask`: run it, or say which package has the place of `realtime`."""
    if is_ours("realtime"):
        importlib.import_module("realtime.cli.app").main()
    else:
        from inpaint_model.installation import (
            explain_rival,
        )  # not above, where all starts pay for it

        print(explain_rival("realtime"), file=sys.stderr)
        sys.exit(1)

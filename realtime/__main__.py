"""`python -m realtime` is `unmask`."""

from __future__ import annotations

from realtime.cli.app import main

main()

"""`python -m realtime` is `unmask`."""

from __future__ import annotations

import sys
from pathlib import Path

# `-m` puts the working directory first: a numpy.py beside someone's videos would be run. It stays only
# where this package itself lies there, as in a checkout.
if not sys.flags.safe_path and Path(__file__).parents[1] != Path.cwd():
    del sys.path[0]

from realtime.cli.app import main

main()

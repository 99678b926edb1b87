"""The sinks and keys of a live run."""

from __future__ import annotations

from enum import StrEnum


class SinkName(StrEnum):
    """Where the frames are shown."""

    WINDOW = "window"
    VIRTUAL_CAMERA = "virtual-camera"
    NONE = "none"


class Key(StrEnum):
    """A command of the user, and the key for it."""

    QUIT = "q"
    TOGGLE = "u"
    SIDE_BY_SIDE = "s"
    BOXES = "b"
    SNAPSHOT = "p"
    RECORD = "r"
    TEXT = "h"


KEY_HELP = "q quit  u unmask on/off  s side by side  b boxes  p picture  r record  h hide this"

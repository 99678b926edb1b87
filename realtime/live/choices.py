"""What a user can choose live: where the picture goes, and what the keys do."""

from __future__ import annotations

from enum import StrEnum


class SinkName(StrEnum):
    """Where the preview goes."""

    WINDOW = "window"
    VIRTUAL_CAMERA = "virtual-camera"
    NONE = "none"


class Key(StrEnum):
    """What the user asks for, and the key that says it."""

    QUIT = "q"
    TOGGLE = "u"
    SIDE_BY_SIDE = "s"
    BOXES = "b"
    SNAPSHOT = "p"
    RECORD = "r"
    TEXT = "h"


KEY_HELP = "q quit  u unmask on/off  s side by side  b boxes  p picture  r record  h hide this"

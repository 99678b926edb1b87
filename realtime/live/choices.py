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
    UNMASKING = "u"
    STRONGER = "+"
    WEAKER = "-"
    MIRROR = "m"
    SIDE_BY_SIDE = "s"
    BOXES = "b"
    FULL_SCREEN = "f"
    NEXT_CAMERA = "c"
    SNAPSHOT = "p"
    RECORD = "r"
    BAR = "h"
    HELP = "?"


KEY_HELP = {
    Key.UNMASKING: "unmasking on or off",
    Key.STRONGER: "more of the unmasked picture",
    Key.WEAKER: "less of it",
    Key.MIRROR: "mirror",
    Key.SIDE_BY_SIDE: "original and result side by side",
    Key.BOXES: "boxes and outlines",
    Key.FULL_SCREEN: "full screen",
    Key.NEXT_CAMERA: "next camera",
    Key.SNAPSHOT: "save a picture",
    Key.RECORD: "record, or stop recording",
    Key.BAR: "hide or show the status bar",
    Key.HELP: "this help",
    Key.QUIT: "quit, as Esc does",
}
"""What each key does, in the order of the help."""

"""Says which faces of a source the feed gives."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.frames import FaceResult


@dataclass(frozen=True)
class FeedOptions:
    """Which faces are given, and how.

    Attributes:
        every_s: at most one record a track in this time, seconds; 0: each frame's.
        best_shot: one record a track, when the track ends: its best.
        only_bare: leave out faces whose lower half is invented.
        min_size_px: leave out faces whose bounding box is narrower.
        inline: records hold their crops as PNG in base64.
        embed_references: embed crops whose fill a reference photograph guided as well.
    """

    every_s: float = 0.0
    best_shot: bool = False
    only_bare: bool = False
    min_size_px: float = 0.0
    inline: bool = False
    embed_references: bool = False


class Selection:
    """Decides face by face whether it is given.

    Args:
        options: which faces are.
    """

    def __init__(self, options: FeedOptions) -> None:
        self._options = options
        self._given_s: dict[int, float] = {}

    def __call__(self, face: FaceResult, track_id: int, time_s: float) -> bool:
        """Say whether a face of a frame at this time is given."""
        options = self._options
        if face.box[2] - face.box[0] < options.min_size_px:
            return False
        if options.only_bare and face.inpainted:
            return False
        if options.every_s <= 0:
            return True
        before_s = self._given_s.get(track_id)
        if before_s is not None and 0 <= time_s - before_s < options.every_s:
            return False
        self._given_s = {
            track: given_s
            for track, given_s in self._given_s.items()
            if time_s - given_s < options.every_s
        }
        self._given_s[track_id] = time_s
        return True

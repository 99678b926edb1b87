"""Face records: what a report says of each face in each frame."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime.frames import UnmaskResult

RecordCall = Callable[[str], object]
"""Called with each face record, one line of JSON, in the order of the frames."""


def face_records(
    result: UnmaskResult, frame_index: int, pts_s: float, first_track_id: int = 0
) -> Iterator[str]:
    """Yield one record a face as a line of JSON; its keys are those of a feed for face recognition.

    Args:
        result: the frame's.
        frame_index: the frame's number in the result, from 0.
        pts_s: when the frame is shown, seconds.
        first_track_id: is added to the track ids.
    """
    for face in result.faces:
        record = {
            "frame_index": frame_index,
            "pts_s": round(pts_s, 6),
            "track_id": face.track_id + first_track_id,
            "box": [round(float(value), 2) for value in face.box],
            "keypoints": face.keypoints.round(2).tolist(),
            "mask_coverage": round(face.mask_coverage, 4),
            "inpainted": face.inpainted,
        }
        yield json.dumps(record)

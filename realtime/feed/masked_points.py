"""The five keypoints of a masked face: the landmark network is asked again, about the filled face.

Under a mask the network invents nose and mouth. On the filled face it finds those of the fill, which lie
nearer to the true ones: the generator places them by the mask's outline, the cheeks and the eyes. They are
also the ones that the filled crop shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from inpaint_model.third_party import find_face_landmarker
from realtime.align.affine import apply, invert
from realtime.align.warp_crop import warp_crop
from realtime.detect.face_geometry import MEAN_KEYPOINTS, keypoints_of_landmarks
from realtime.detect.face_mesh import FaceMesh
from realtime.feed.aligned_crop import fit_similarity
from realtime.frames import FaceResult
from realtime.settings import DETECT, TRACK

_AS_IT_IS = np.eye(2, 3)


@dataclass(frozen=True, eq=False)
class _Look:
    """Keypoints as the tracker gave them and as they were found on the filled face, at a time."""

    given: NDArray[np.float64]
    found: NDArray[np.float64]
    time_s: float


class MaskedPoints:
    """Finds the keypoints of filled faces; those of bare faces stay as they are.

    In a stream a face is looked at as often as the tracker looks at it (`TRACK.detection_interval_s`); in
    between its keypoints move with the tracker's. One look takes 7 ms of a CPU core.

    Args:
        models_dir: folder searched first for `face_landmarker.task`.
    """

    def __init__(self, models_dir: Path | None = None) -> None:
        self._mesh = FaceMesh(find_face_landmarker(models_dir))
        self._looks: dict[int, _Look] = {}

    def __call__(
        self,
        finished_bgr: NDArray[np.uint8],
        face: FaceResult,
        track_id: int = 0,
        time_s: float | None = None,
    ) -> NDArray[np.float64]:
        """Find the keypoints of a face.

        Args:
            finished_bgr: uint8 [H, W, 3], BGR, the finished frame: `UnmaskResult.frame`.
            face: one of its faces.
            track_id: the number of the face.
            time_s: when the frame of a stream is shown, seconds; None for a picture.

        Returns:
            float64 [5, 2], pixels of the frame: right eye, left eye, nose tip, right and left mouth corner.
        """
        if not face.inpainted:
            self._looks.pop(track_id, None)
            return face.keypoints
        if time_s is None:
            return self._found(finished_bgr, face.keypoints)
        self._looks = {
            track: look
            for track, look in self._looks.items()
            if 0 <= time_s - look.time_s < TRACK.detection_interval_s
        }
        look = self._looks.get(track_id)
        if look is None:
            found = self._found(finished_bgr, face.keypoints)
            look = self._looks[track_id] = _Look(face.keypoints, found, time_s)
        return apply(fit_similarity(look.given, face.keypoints), look.found)

    def _found(
        self, finished_bgr: NDArray[np.uint8], keypoints: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Ask the landmark network; where it refuses the filled face, the given keypoints stay."""
        to_canonical = fit_similarity(keypoints, MEAN_KEYPOINTS)
        crop_bgr, _ = warp_crop(finished_bgr, to_canonical)
        landmarks, presence = self._mesh(crop_bgr, _AS_IT_IS)
        if presence < DETECT.sure_presence:
            return keypoints
        return apply(invert(to_canonical), keypoints_of_landmarks(landmarks))

    def close(self) -> None:
        """Free the network."""
        self._mesh.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

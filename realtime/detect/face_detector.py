"""Finds faces in one picture: MediaPipe Face Landmarker, and its detector where landmarks are refused."""

from __future__ import annotations

import itertools
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from inpaint_model.artefacts import find_face_landmarker
from realtime.detect.face_confirmation import landmarks_of_one
from realtime.detect.face_geometry import is_same_face, moved, scaled_and_shifted
from realtime.detect.landmark_stream import LandmarkStream, open_landmarker
from realtime.detect.mediapipe_faces import faces_of_detections, faces_of_result
from realtime.frames import Face
from realtime.settings import DETECT

if TYPE_CHECKING:
    import mediapipe as mp

_TILE_SHARE = 0.6  # side of a tile, of the picture's side: the four tiles overlap by a third
_DETECTOR_IN_TASK = "face_detector.tflite"


class FaceDetector:
    """Finds faces in pictures or in the successive frames of a stream.

    The landmark model rejects many masked faces. So its thresholds are low, and a face that only the
    detector finds is kept with the detector's six points. In pictures (not streams) the detector also
    searches four overlapping tiles, and the landmark model is run on each small face alone.

    Args:
        max_faces: at most this many faces, the largest first.
        video: frames follow one another (MediaPipe's VIDEO mode tracks and is faster).
        detection_confidence: detector threshold, 0..1, of a doubtful face; one is taken only where no sure
            face is in the picture, and in a stream only where one was before.
        presence_confidence: landmark model threshold, 0..1.
        models_dir: folder searched first for `face_landmarker.task`.
    """

    def __init__(
        self,
        max_faces: int = 4,
        *,
        video: bool = False,
        detection_confidence: float = DETECT.doubtful_score,
        presence_confidence: float = DETECT.landmark_presence,
        models_dir: Path | None = None,
    ) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        task = find_face_landmarker(models_dir).path
        self.max_faces = max_faces
        self._video = video
        self._calls = self._last_count = 0
        open_for = partial(
            open_landmarker,
            task,
            detection=DETECT.sure_score,
            presence=presence_confidence,
            video=video,
        )
        with zipfile.ZipFile(task) as bundle:
            detector_model = bundle.read(_DETECTOR_IN_TASK)
        self._detector = vision.FaceDetector.create_from_options(
            vision.FaceDetectorOptions(
                base_options=BaseOptions(model_asset_buffer=detector_model),
                min_detection_confidence=detection_confidence,
            )
        )
        self._landmarker = self._stream = None
        if video:
            self._stream = LandmarkStream(
                open_for, faces_of_result, self._sure_detections, is_same_face, max_faces
            )
        else:
            self._landmarker = open_for(max_faces)

    def __call__(self, image_rgb: NDArray[np.uint8]) -> list[Face]:
        """Find the faces of one picture, uint8 [H, W, 3] RGB, contiguous; the largest first."""
        import mediapipe as mp

        picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=image_rgb)
        height, width = image_rgb.shape[:2]
        self._calls += 1
        if self._stream is not None:
            faces = self._stream(picture)
        else:
            assert self._landmarker is not None
            faces = faces_of_result(self._landmarker.detect(picture), picture)
        if self._detector_is_due(len(faces)):
            found = self._detector.detect(picture)
            candidates = faces_of_detections(found, width, height, DETECT.sure_score)
            if not self._video:
                candidates += self._in_tiles(image_rgb)
            if not faces and not candidates and self._doubtful_is_allowed():
                candidates = faces_of_detections(found, width, height)[:1]
            for candidate in candidates:
                if not any(is_same_face(candidate, face) for face in faces):
                    faces.append(
                        candidate if self._video else self._with_landmarks(image_rgb, candidate)
                    )
        faces = sorted(faces, key=lambda face: -face.size)[: self.max_faces]
        self._last_count = len(faces)
        return faces

    def _sure_detections(self, picture: mp.Image) -> list[Face]:
        return faces_of_detections(
            self._detector.detect(picture), picture.width, picture.height, DETECT.sure_score
        )

    def _in_tiles(self, image_rgb: NDArray[np.uint8]) -> list[Face]:
        """Run the detector on four overlapping tiles of a large picture."""
        import mediapipe as mp

        height, width = image_rgb.shape[:2]
        if max(height, width) < DETECT.least_tiled_px:
            return []
        faces = []
        high, wide = int(height * _TILE_SHARE), int(width * _TILE_SHARE)
        for y, x in itertools.product((0, height - high), (0, width - wide)):
            tile = np.ascontiguousarray(image_rgb[y : y + high, x : x + wide])
            picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=tile)
            found = faces_of_detections(
                self._detector.detect(picture), wide, high, DETECT.sure_score
            )
            faces += [moved(face, scaled_and_shifted(1.0, x, y)) for face in found]
        return faces

    def _with_landmarks(self, image_rgb: NDArray[np.uint8], face: Face) -> Face:
        """Run the landmark model on one face alone; the face comes back as it was where it is refused."""
        assert self._landmarker is not None
        return landmarks_of_one(self._landmarker, image_rgb, face) or face

    def _detector_is_due(self, found: int) -> bool:
        """Run the detector on every picture; in a stream only where faces went missing."""
        if found >= self.max_faces:
            return False
        return not self._video or found == 0 or found < self._last_count

    def _doubtful_is_allowed(self) -> bool:
        """Take a doubtful face in any picture, but in a stream only where a face was found before."""
        return not self._video or self._calls == 1 or self._last_count > 0

    def close(self) -> None:
        """Free the MediaPipe graphs."""
        for model in (self._landmarker, self._stream, self._detector):
            if model is not None:
                model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

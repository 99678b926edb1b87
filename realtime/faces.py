"""Finds faces in one picture: MediaPipe Face Landmarker, and its detector where landmarks are refused."""

from __future__ import annotations

import itertools
import zipfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from realtime.alignment import similarity_from_keypoints, similarity_from_landmarks
from realtime.landmarking import LandmarkStream, open_landmarker
from realtime.model_files import face_landmarker_path

if TYPE_CHECKING:
    import mediapipe as mp
    from mediapipe.tasks.python.components.containers.detections import (
        DetectionResult as FaceDetectorResult,
    )
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarker, FaceLandmarkerResult

_EYES_NOSE_MOUTH = ((33, 133), (362, 263), (1,), (61,), (291,))
_LARGE_PICTURE_PX, _PART_SHARE, _CLOSE_UP_PX, _SURE, _CERTAIN = 320, 0.6, 384, 0.5, 0.8
_OTHER_SIDE = [1, 0, 2, 4, 3]
_DETECTOR_IN_TASK = "face_detector.tflite"


@dataclass(frozen=True)
class Face:
    """One found face.

    Attributes:
        box: x0, y0, x1, y1 in pixels.
        keypoints: float64 [5, 2], pixels: right eye, left eye, nose tip, right and left mouth corner
            (the person's own right and left). A detector's face knows one mouth point; both corners
            are then placed round it.
        landmarks: float64 [478, 2], pixels, or None where the landmark model refused the face.
        matrix: float64 [2, 3], picture pixels to canonical crop pixels.
    """

    box: tuple[float, float, float, float]
    keypoints: NDArray[np.float64]
    landmarks: NDArray[np.float64] | None
    matrix: NDArray[np.float64]

    @property
    def centre(self) -> NDArray[np.float64]:
        """The middle between the eyes, float64 [2], pixels."""
        return self.keypoints[:2].mean(0)

    @property
    def size(self) -> float:
        """The box's longer side in pixels."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])


class FaceFinder:
    """Finds faces in pictures or in the successive frames of a stream.

    The landmark model rejects many masked faces; its thresholds are low, and what the detector finds
    beyond it is kept with the detector's six points. In pictures (not streams) small faces get a second
    look: the detector sees overlapping parts, the landmark model each face alone.

    Args:
        max_faces: at most this many faces, the largest first.
        video: frames follow one another (MediaPipe's VIDEO mode tracks and is faster).
        detection_confidence: detector threshold, 0..1, of a doubtful face; one is taken only where no
            sure face is in the picture, and in a stream only where one was before.
        presence_confidence: landmark model threshold, 0..1.
        models_dir: folder searched first for `face_landmarker.task`.
    """

    def __init__(
        self,
        max_faces: int = 4,
        *,
        video: bool = False,
        detection_confidence: float = 0.25,
        presence_confidence: float = 0.01,
        models_dir: Path | None = None,
    ) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        task = face_landmarker_path(models_dir)
        self._task = task
        self._strict: FaceLandmarker | None = None
        self.max_faces = max_faces
        self._video = video
        self._calls = self._last_count = 0
        open_for = partial(
            open_landmarker, task, detection=_SURE, presence=presence_confidence, video=video
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
                open_for, _from_result, self._sure_detections, _same_face, max_faces
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
            faces = _from_result(self._landmarker.detect(picture), picture)
        if self._detector_is_due(len(faces)):
            found = self._detector.detect(picture)
            candidates = _from_detections(found, width, height, _SURE)
            if not self._video:
                candidates += self._in_parts(image_rgb)
            if not faces and not candidates and self._doubt_is_allowed():
                candidates = _from_detections(found, width, height)[:1]
            for candidate in candidates:
                if not any(_same_face(candidate, face) for face in faces):
                    faces.append(candidate if self._video else self._closer(image_rgb, candidate))
        faces = sorted(faces, key=lambda face: -face.size)[: self.max_faces]
        self._last_count = len(faces)
        return faces

    def _sure_detections(self, picture: mp.Image) -> list[Face]:
        return _from_detections(
            self._detector.detect(picture), picture.width, picture.height, _SURE
        )

    def _in_parts(self, image_rgb: NDArray[np.uint8]) -> list[Face]:
        """Run the detector on four overlapping parts of a large picture."""
        import mediapipe as mp

        height, width = image_rgb.shape[:2]
        if max(height, width) < _LARGE_PICTURE_PX:
            return []
        faces = []
        high, wide = int(height * _PART_SHARE), int(width * _PART_SHARE)
        for y, x in itertools.product((0, height - high), (0, width - wide)):
            part = np.ascontiguousarray(image_rgb[y : y + high, x : x + wide])
            picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=part)
            found = _from_detections(self._detector.detect(picture), wide, high, _SURE)
            faces += [_moved(face, x, y, 1.0) for face in found]
        return faces

    def _closer(self, image_rgb: NDArray[np.uint8], face: Face) -> Face:
        """Ask the landmark model about one face alone; the face as it was where it refuses."""
        assert self._landmarker is not None
        return _landmarks_alone(self._landmarker, image_rgb, face) or face

    def is_face(self, image_rgb: NDArray[np.uint8], face: Face) -> bool:
        """Say whether the landmark model, strict now, takes this for a face, in a mirror too.

        It refuses many masked faces: what it does not confirm may still be one if a mask is found on it.

        Args:
            image_rgb: uint8 [H, W, 3], RGB, contiguous, the picture the face was found in.
            face: what was found.
        """
        if self._strict is None:
            self._strict = open_landmarker(self._task, 1, _SURE, _CERTAIN, video=False)
        if _landmarks_alone(self._strict, image_rgb, face) is None:
            return False
        return _landmarks_alone(self._strict, *_mirrored(image_rgb, face)) is not None

    def _detector_is_due(self, found: int) -> bool:
        """Ask the detector for pictures always, for streams only where faces went missing."""
        if found >= self.max_faces:
            return False
        return not self._video or found == 0 or found < self._last_count

    def _doubt_is_allowed(self) -> bool:
        """A doubtful face may be all of a picture; in a stream it only goes on from a found one."""
        return not self._video or self._calls == 1 or self._last_count > 0

    def close(self) -> None:
        """Free the MediaPipe graphs."""
        for model in (self._landmarker, self._stream, self._detector, self._strict):
            if model is not None:
                model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _landmarks_alone(
    landmarker: FaceLandmarker, image_rgb: NDArray[np.uint8], face: Face
) -> Face | None:
    """Run the landmark model on one face and its surroundings, enlarged if small."""
    import mediapipe as mp

    height, width = image_rgb.shape[:2]
    x0, y0 = np.maximum(np.array(face.box[:2]) - 0.6 * face.size, 0).astype(int)
    x1, y1 = np.minimum(np.array(face.box[2:]) + 0.6 * face.size, [width, height]).astype(int)
    if min(x1 - x0, y1 - y0) < 16:
        return None
    scale = max(1.0, _CLOSE_UP_PX / max(x1 - x0, y1 - y0))
    part = cv2.resize(image_rgb[y0:y1, x0:x1], None, fx=scale, fy=scale)
    picture = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(part))
    for points in landmarker.detect(picture).face_landmarks:
        found = _moved(_from_landmarks(points, part.shape[1], part.shape[0]), x0, y0, 1 / scale)
        if _same_face(found, face):
            return found
    return None


def _mirrored(image_rgb: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.uint8], Face]:
    """Turn a picture and the face in it left to right."""
    width = image_rgb.shape[1]
    x0, y0, x1, y1 = face.box
    keypoints = (face.keypoints * (-1, 1) + (width - 1, 0))[_OTHER_SIDE]
    picture = np.ascontiguousarray(image_rgb[:, ::-1])
    box = (width - 1 - x1, y0, width - 1 - x0, y1)
    return picture, replace(face, box=box, keypoints=keypoints)


def _from_result(result: FaceLandmarkerResult, picture: mp.Image) -> list[Face]:
    size = picture.width, picture.height
    return [_from_landmarks(points, *size) for points in result.face_landmarks]


def _from_landmarks(points: list, width: int, height: int) -> Face:
    """Turn one normalised landmark list into a Face in pixels."""
    landmarks = np.array([(point.x, point.y) for point in points]) * (width, height)
    x0, y0 = landmarks.min(0)
    x1, y1 = landmarks.max(0)
    keypoints = np.stack([landmarks[list(indices)].mean(0) for indices in _EYES_NOSE_MOUTH])
    return Face(
        (float(x0), float(y0), float(x1), float(y1)),
        keypoints,
        landmarks,
        similarity_from_landmarks(landmarks),
    )


def _from_detections(
    result: FaceDetectorResult, width: int, height: int, least_score: float = 0.0
) -> list[Face]:
    """Turn the detector's boxes and six points into Faces in pixels."""
    faces = []
    for detection in result.detections:
        box = detection.bounding_box
        points = np.array([(p.x, p.y) for p in detection.keypoints or ()]) * (width, height)
        if len(points) != 6 or (detection.categories[0].score or 0) < least_score:
            continue
        half_mouth = (points[1] - points[0]) * 0.35
        keypoints = np.stack(
            [points[0], points[1], points[2], points[3] - half_mouth, points[3] + half_mouth]
        )
        faces.append(
            Face(
                (
                    float(box.origin_x),
                    float(box.origin_y),
                    float(box.origin_x + box.width),
                    float(box.origin_y + box.height),
                ),
                keypoints,
                None,
                similarity_from_keypoints(points),
            )
        )
    return faces


def _moved(face: Face, x: float, y: float, scale: float) -> Face:
    """Bring a face found in a part, at another scale, back into the whole picture."""
    x0, y0, x1, y1 = (float(value * scale) for value in face.box)
    matrix = face.matrix.copy()
    matrix[:, :2] /= scale
    matrix[:, 2] -= matrix[:, :2] @ (x, y)
    landmarks = None if face.landmarks is None else face.landmarks * scale + (x, y)
    return Face(
        (x0 + x, y0 + y, x1 + x, y1 + y), face.keypoints * scale + (x, y), landmarks, matrix
    )


def _same_face(one: Face, other: Face) -> bool:
    """Two finds of one face lie closer than half its size."""
    return float(np.hypot(*(one.centre - other.centre))) < 0.5 * max(one.size, other.size)

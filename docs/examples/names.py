"""Who is in a video? python names.py PEOPLE VIDEO: PEOPLE holds a folder of photographs a person.

Needs the extra `recognition`, which is dlib with its recogniser.
"""

import sys
from pathlib import Path

import cv2
import dlib
import face_recognition_models
import numpy as np

from realtime import unmask_faces

model = dlib.face_recognition_model_v1(face_recognition_models.face_recognition_model_location())


def describe(crop_rgb: np.ndarray) -> np.ndarray:
    return np.array(model.compute_face_descriptor(cv2.resize(crop_rgb, (150, 150))))


known = [(Path(f.source).parent.name, describe(f.crop_rgb)) for f in unmask_faces(sys.argv[1])]
for face in unmask_faces(sys.argv[2], best_shot=True):
    code = describe(face.crop_rgb)
    distance, name = min((float(np.linalg.norm(code - other)), who) for who, other in known)
    doubt = ", the lower face is invented" if face.inpainted else ""
    # 0.6 is dlib's threshold for one person.
    shown = name if distance < 0.6 else "nobody known"
    print(f"{face.pts_s:.2f} s, track {face.track_id}: {shown} ({distance:.2f}{doubt})")

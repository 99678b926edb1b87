"""Search a video by face: python vectors.py RECOGNISER.onnx PHOTOGRAPH VIDEO.

The recogniser is any ArcFace-style ONNX file, such as those of InsightFace. Embeddings have length 1, so
that a vector store (FAISS, pgvector, Qdrant) takes them as they are and compares them by inner product.
"""

import sys

import numpy as np

from realtime import unmask_faces

recogniser, photograph, video = sys.argv[1:]
wanted = next(unmask_faces(photograph, embedder=recogniser))
tracks, rows = [], []
for face in unmask_faces(video, embedder=recogniser, best_shot=True):
    tracks.append(face.track_id)
    rows.append([face.embedding, face.embedding_periocular])
store = np.array(rows)  # [tracks, 2, size]
query = np.array([wanted.embedding, wanted.embedding_periocular])
scores = (store * query).sum(2).mean(1)  # the mean of both cosines
for place in scores.argsort()[::-1]:
    print(f"track {tracks[place]}: {scores[place]:.3f}")

"""Makes the records of a source: unmasks its frames, aligns and rates the crops, and embeds them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.feed.aligned_crop import aligned_crop
from realtime.feed.best_shot import BestShots
from realtime.feed.crop_quality import eye_distance_px, quality, sharpness, yaw_deg
from realtime.feed.crops import with_inline_crops
from realtime.feed.embedder import periocular
from realtime.feed.masked_points import MaskedPoints
from realtime.feed.record import FaceRecord
from realtime.feed.selection import FeedOptions, Selection
from realtime.feed.sources import FeedFrame, FeedSource
from realtime.frames import FaceResult
from realtime.runtime.report import Counts
from realtime.runtime.stage_times import StageTimes
from realtime.stages import FrameUnmasker

_KEY_DIGITS = 16


class Embeds(Protocol):
    """A recogniser: called with crops, uint8 [N, 112, 112, 3] RGB, it gives embeddings of length 1."""

    @property
    def sha256(self) -> str:
        """Of its file."""
        ...

    def __call__(self, crops_rgb: NDArray[np.uint8], /) -> NDArray[np.float32]:
        """Return the embeddings, float32 [N, D]."""
        ...


class Feed:
    """The records of a source; iterate over it once.

    Args:
        source: an open source.
        unmasker: opened in the source's mode.
        options: which faces are given, and how.
        embedder: a recogniser, whose embeddings each record holds; None: records have none.
        models_dir: folder that is searched first for MediaPipe's model.

    Attributes:
        key: the same for the same source, options and networks; each record's key begins with it.
        unmasker: as given.
        counts: running totals.
        times: of each stage.
        dropped_frames: of a live source, left out so far.
    """

    def __init__(
        self,
        source: FeedSource,
        unmasker: FrameUnmasker,
        options: FeedOptions | None = None,
        embedder: Embeds | None = None,
        models_dir: Path | None = None,
    ) -> None:
        self._source, self.unmasker = source, unmasker
        self._options, self._embedder = options or FeedOptions(), embedder
        self._models_dir = models_dir
        self._selection, self._best = Selection(self._options), BestShots()
        self._networks = unmasker.artefacts.as_dict()
        self.counts, self.times = Counts(), StageTimes()
        self.dropped_frames = 0
        facts = {
            "content": source.content_key,
            "options": asdict(self._options),
            "networks": self._networks,
            "embedder": embedder.sha256 if embedder else None,
        }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        self.key = digest[:_KEY_DIGITS]

    def __iter__(self) -> Iterator[FaceRecord]:
        with MaskedPoints(self._models_dir) as masked_points:
            yield from self._all(masked_points)

    def _all(self, masked_points: MaskedPoints) -> Iterator[FaceRecord]:
        for frame in self._source.frames(self.unmasker):
            self.counts.add(frame.result, frame.first_track_id)
            self.times.add(frame.result.latency_ms)
            self.dropped_frames = frame.dropped_frames or 0
            records = self._records(frame, masked_points)
            if not self._options.best_shot:
                yield from self._finished(records)
                continue
            for record in records:
                self._best.add(record)
            if self._source.mode == "image":  # two pictures have no face in common
                yield from self._finished(self._best.finish())
            else:
                yield from self._finished(self._best.ended(frame.time_s))
        yield from self._finished(self._best.finish())

    def _records(self, frame: FeedFrame, masked_points: MaskedPoints) -> list[FaceRecord]:
        numbered = [(face, face.track_id + frame.first_track_id) for face in frame.result.faces]
        time_s = None if self._source.mode == "image" else frame.time_s
        return [
            self._record(
                frame, face, track_id, masked_points(frame.result.frame, face, track_id, time_s)
            )
            for face, track_id in numbered
            if self._selection(face, track_id, frame.time_s)
        ]

    def _record(
        self, frame: FeedFrame, face: FaceResult, track_id: int, points: NDArray[np.float64]
    ) -> FaceRecord:
        before_rgb = after_rgb = aligned_crop(frame.image_bgr, points)
        if face.inpainted:
            after_rgb = aligned_crop(frame.result.frame, points)
        sharp, yaw, eyes_px = sharpness(before_rgb), yaw_deg(points), eye_distance_px(points)
        inpainter, embedder = self.unmasker.inpainter, self._embedder
        return FaceRecord(
            key=f"{self.key}-{frame.index}-{track_id}",
            source=frame.source,
            frame_index=frame.index,
            pts_s=frame.time_s,
            captured_at=frame.captured_at,
            dropped_frames=frame.dropped_frames,
            track_id=track_id,
            box=face.box,
            keypoints=tuple((float(x), float(y)) for x, y in points),
            eye_distance_px=eyes_px,
            yaw_deg=yaw,
            sharpness=sharp,
            quality=quality(sharp, yaw, eyes_px),
            mask_coverage=float(face.mask_coverage),
            inpainted=face.inpainted,
            model=inpainter.model,
            model_sha256=inpainter.model_sha256,
            networks=self._networks,
            embedder_sha256=embedder.sha256 if embedder else None,
            crop_rgb=after_rgb,
            crop_before_rgb=before_rgb,
        )

    def _finished(self, records: list[FaceRecord]) -> Iterator[FaceRecord]:
        """Add what is costly, to records that are given."""
        if self._embedder is not None:
            records = embedded(
                records, self._embedder, with_references=self._options.embed_references
            )
        yield from map(with_inline_crops, records) if self._options.inline else records


def embedded(
    records: list[FaceRecord], embedder: Embeds, *, with_references: bool = False
) -> list[FaceRecord]:
    """Return the records with their embeddings, all from one call of the recogniser.

    Args:
        records: of one frame.
        embedder: the recogniser.
        with_references: also embed fills that a reference photograph guided. They show the person of the
            photograph, so that their embeddings say nothing of who is in the frame.
    """
    if not records:
        return []
    before = np.stack([record.crop_before_rgb for record in records])
    after = np.stack([record.crop_rgb for record in records])
    values = embedder(np.concatenate([after, before, periocular(before)]))
    rows = [tuple(map(float, row)) for row in values]
    count = len(records)
    return [
        replace(
            record,
            embedding=None if record.reference and not with_references else rows[number],
            embedding_before=rows[count + number],
            embedding_periocular=rows[2 * count + number],
        )
        for number, record in enumerate(records)
    ]

"""Resumes an interrupted job: which facts must be the same, and what its stored segments hold."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import av

from inpaint_model.artefacts import ArtefactHashes
from inpaint_model.errors import UserError
from realtime.media.frames import Progress
from realtime.media.muxing import OutputPlan
from realtime.media.segment_store import SegmentStore
from realtime.media.stream_properties import header_digest
from realtime.runtime.report import Counts

_FINGERPRINT_BYTES = 1 << 20  # hashed at each end of the source


class OtherJobError(UserError):
    """An interrupted run left frames of another source, of other networks or of other options."""


@dataclass(frozen=True)
class EarlierRun:
    """What an earlier run of the same job has finished.

    Attributes:
        counts: of the frames in its stored segments.
        progress: where to go on.
        warnings: what the user should know of it.
    """

    counts: Counts
    progress: Progress
    warnings: tuple[str, ...] = ()


def resume_facts(
    source: Path, options: Mapping[str, object], plan: OutputPlan, networks: ArtefactHashes
) -> dict[str, object]:
    """Return the facts that must be the same for an interrupted job to be resumed, as JSON values.

    Args:
        source: the video file.
        options: the options that change the result, by name.
        plan: how the result is encoded.
        networks: the hashes of the networks that run.
    """
    return {
        "source": _fingerprint(source),
        "options": {name: repr(value) for name, value in options.items()},
        "networks": networks.as_dict(),
        "encoder": [plan.encoder.encoder, plan.encoder.pixel_format],
        "header": header_digest(plan.encoder, plan.properties),
        "av": av.__version__,
    }


def begin_or_resume(store: SegmentStore, facts: dict[str, object], *, resume: bool) -> EarlierRun:
    """Keep the segments of an interrupted run, or empty the store and begin.

    Args:
        store: of the target.
        facts: as `resume_facts` returns them.
        resume: continue an interrupted run where there is one.

    Raises:
        OtherJobError: the stored segments belong to a job with other facts.
        UserError: the store cannot be read or written, or what it holds is damaged.
    """
    try:
        return _begin_or_resume(store, facts, resume=resume)
    except (sqlite3.Error, ValueError, TypeError, KeyError, AttributeError):  # of what was stored
        raise UserError(
            f"{store.path}: the unfinished run is damaged; run without --resume to start again"
        ) from None


def _begin_or_resume(store: SegmentStore, facts: dict[str, object], *, resume: bool) -> EarlierRun:
    if not resume:
        had_segments = store.has_segments()
        store.begin(facts)
        discarded = "an unfinished run was discarded; --resume would continue it"
        return EarlierRun(Counts(), Progress(), (discarded,) if had_segments else ())
    segments = store.segments()
    if not segments:
        store.begin(facts)
        return EarlierRun(Counts(), Progress())
    if not store.holds(facts):
        raise OtherJobError(
            f"{store.path}: was begun from another source or with other options; "
            "run without --resume to start again"
        )
    counts = Counts()
    for segment in segments:
        counts.merge(segment.counts)
    if not counts.frames == sum(segment.frames for segment in segments) == store.count():
        raise ValueError
    resumed = f"resumed after {counts.frames} frames that were done"
    return EarlierRun(counts, Progress(counts.frames, segments[-1].last_pts), (resumed,))


def _fingerprint(path: Path) -> list[int | str]:
    """Return size, modification time and a hash of both ends, which together identify a file."""
    size = path.stat().st_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(_FINGERPRINT_BYTES))
        file.seek(max(size - _FINGERPRINT_BYTES, 0))
        digest.update(file.read(_FINGERPRINT_BYTES))
    return [size, path.stat().st_mtime_ns, digest.hexdigest()]

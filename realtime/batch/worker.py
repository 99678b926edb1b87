"""Processes the files of a batch with loaded models; an error in one file does not stop the others."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from inpaint_model.errors import UserError
from inpaint_model.limits import Limits
from realtime.batch.jobs import Job, Outcome
from realtime.image_file import unmask_image
from realtime.media.kinds import is_picture
from realtime.runtime.memory import return_freed_frames
from realtime.runtime.report import Report
from realtime.unmasker import Mode, Unmasker
from realtime.video.file import VideoOptions, unmask_video
from realtime.video.resume import OtherJobError


@dataclass(frozen=True)
class WorkerOptions:
    """How the files of a batch are processed.

    Attributes:
        model, engine, max_faces, models_dir: arguments of the `Unmasker`.
        threads: CPU threads of the generator; None: the engine decides.
        video: how videos are written.
        overwrite: replace existing files that no batch wrote.
    """

    model: str = "fast"
    engine: str = "auto"
    max_faces: int = 4
    models_dir: str | None = None
    threads: int | None = None
    video: VideoOptions = VideoOptions()  # noqa: RUF009 (frozen)
    overwrite: bool = False


class FileWorker:
    """Keeps one unmasker for pictures and one for videos.

    Args:
        options: for all files.
    """

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._unmaskers: dict[Mode, Unmasker] = {}

    def run(self, job: Job) -> Outcome:
        """Process one file; errors are returned in the outcome, not raised."""
        began = time.perf_counter()
        outcome = Outcome(job.source, job.target, "failed")
        try:
            key = self._key(Path(job.source))
            if key == job.done_key:
                return replace(outcome, status="skipped", key=key)
            outcome = replace(outcome, key=key)
            report = self._unmask(job)
        except UserError as error:
            return replace(outcome, message=_naming(job.source, str(error)))
        except Exception as error:  # the other files are still processed, by models opened anew
            self.close()
            return replace(outcome, message=_naming(job.source, f"{type(error).__name__}: {error}"))
        return replace(
            outcome,
            status="no face" if report.outcome == "no face" else "done",
            message="; ".join(report.warnings),
            frames=report.frames,
            masked_faces=report.masked_faces,
            seconds=round(time.perf_counter() - began, 3),
        )

    def _unmask(self, job: Job) -> Report:
        source, target = Path(job.source), Path(job.target)
        target.parent.mkdir(parents=True, exist_ok=True)
        overwrite = self._options.overwrite or job.written_by_batch
        if is_picture(source):
            return unmask_image(
                source,
                target,
                self._unmasker("image"),
                overwrite=overwrite,
                drop_alpha=self._options.video.drop_alpha,
            )
        options = replace(self._options.video, overwrite=overwrite, resume=True)
        unmasker = self._unmasker("video")
        return_freed_frames()
        try:
            return unmask_video(source, target, unmasker, options)
        except OtherJobError:
            return unmask_video(source, target, unmasker, replace(options, resume=False))

    def _unmasker(self, mode: Mode) -> Unmasker:
        if mode not in self._unmaskers:
            options = self._options
            models_dir = Path(options.models_dir) if options.models_dir else None
            self._unmaskers[mode] = Unmasker(
                options.model,
                options.engine,
                options.max_faces,
                mode=mode,
                models_dir=models_dir,
                threads=options.threads,
            )
        return self._unmaskers[mode]

    def _key(self, source: Path) -> str:
        """Return a hash of the source's content, the options and every network."""
        if not source.is_file():  # reading a pipe or a device may never end
            raise UserError(f"{source}: is not a file")
        mode = "image" if is_picture(source) else "video"
        try:
            if mode == "image":  # it would be refused after it was read
                Limits.of_environment().check_file(source, source.stat().st_size)
            with source.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
        except OSError as error:
            raise UserError(f"{source}: cannot be read ({error.strerror})") from None
        options = {k: repr(v) for k, v in asdict(self._options).items() if k != "overwrite"}
        settings = {"options": options, "networks": self._unmasker(mode).artefacts.as_dict()}
        digest.update(json.dumps(settings, sort_keys=True).encode())
        return digest.hexdigest()

    def close(self) -> None:
        """Free the models."""
        for unmasker in self._unmaskers.values():
            unmasker.close()
        self._unmaskers.clear()


def _naming(source: str, message: str) -> str:
    """Put the file's name before a message that does not hold it."""
    return message if source in message else f"{source}: {message}"

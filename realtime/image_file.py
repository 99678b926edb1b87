"""Unmasks one picture file."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from inpaint_model.errors import UserError
from realtime.media.atomic_file import atomic_write, check_paths
from realtime.media.codecs import CONTAINERS
from realtime.media.container import is_video
from realtime.media.kinds import JPEG_SUFFIXES
from realtime.media.picture import Picture
from realtime.media.picture_reader import read_picture
from realtime.media.picture_writer import check_target, fit_alpha, write_picture
from realtime.runtime.face_records import RecordCall, face_records
from realtime.runtime.report import Counts, Report
from realtime.runtime.stage_times import StageTimes
from realtime.stages import FrameUnmasker


class ImageJob:
    """A picture file that is read, checked and ready to be unmasked once.

    Make the job before the models are loaded: bad input is then refused at once.

    Args:
        source: a picture.
        target: the file to write, .png, .jpg or .webp.
        overwrite: replace an existing output.
        drop_alpha: leave transparency out if the target cannot hold it.

    Raises:
        UserError: a path cannot be used, the source is not a complete picture, or the target's format
            cannot hold it.
    """

    def __init__(
        self, source: Path, target: Path, *, overwrite: bool = False, drop_alpha: bool = False
    ) -> None:
        self._source, self._target, self._overwrite = source, target, overwrite
        check_paths(source, target, overwrite=overwrite)
        if target.suffix.lower() not in CONTAINERS:  # else the source may be a video
            check_target(target)
        began_s = time.perf_counter()
        self._picture: Picture | None = fit_alpha(_read(source), target, drop=drop_alpha)
        self._decode_s = time.perf_counter() - began_s
        check_target(target, self._picture)

    def run(self, unmasker: FrameUnmasker, on_record: RecordCall | None = None) -> Report:
        """Unmask the picture; the result keeps its size, bit depth, channels and colour profile.

        If no face or no mask was found, the target is a copy of the source, and a warning says so.

        Args:
            unmasker: opened in mode "image".
            on_record: called with the record of each face.

        Raises:
            UserError: the target cannot be written.
        """
        source, target = self._source, self._target
        picture, self._picture = self._picture, None  # large ones are not kept longer than needed
        assert picture is not None, "a job runs once"
        counts, times, warnings = Counts(), StageTimes(), list(picture.warnings)
        if picture.has_more:
            warnings.append("only the first of the pictures in the file is unmasked")
        began_s = time.perf_counter()
        result = unmasker(picture.bgr)
        counts.add(result)
        latency_ms, records = result.latency_ms, list(face_records(result, 0, 0.0))
        unmasker.reset()  # its memory of the faces holds the whole picture
        encode_began_s = time.perf_counter()
        with atomic_write(target, overwrite=self._overwrite, source=source) as temporary:
            if counts.masked_faces:
                picture = picture.with_result(result.frame, result.replaced)
                del result
                write_picture(temporary, target, picture)
            elif _have_same_format(source, target):
                warnings.append(f"{counts.outcome} found: the output is a copy of the input")
                shutil.copyfile(source, temporary)
            else:
                warnings.append(f"{counts.outcome} found: nothing was replaced")
                write_picture(temporary, target, picture, synthetic=False)
        ended_s = time.perf_counter()
        if on_record is not None:
            for record in records:
                on_record(record)
        times.add({"decode": self._decode_s * 1e3})
        times.add(latency_ms)
        times.add({"encode": (ended_s - encode_began_s) * 1e3})
        return Report.of(counts, times, self._decode_s + ended_s - began_s, unmasker, warnings)


def unmask_image(
    source: Path,
    target: Path,
    unmasker: FrameUnmasker,
    *,
    overwrite: bool = False,
    drop_alpha: bool = False,
) -> Report:
    """Unmask a picture file: make an `ImageJob` and run it.

    Raises:
        UserError: as `ImageJob` and `ImageJob.run`.
    """
    job = ImageJob(source, target, overwrite=overwrite, drop_alpha=drop_alpha)
    return job.run(unmasker)


def _read(source: Path) -> Picture:
    try:
        return read_picture(source)
    except UserError:
        if is_video(source):
            raise UserError(f"{source}: is a video; use `unmask video`") from None
        raise


def _have_same_format(source: Path, target: Path) -> bool:
    suffixes = {source.suffix.lower(), target.suffix.lower()}
    return len(suffixes) == 1 or suffixes <= set(JPEG_SUFFIXES)

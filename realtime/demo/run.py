"""`unmask demo`: unmasks a clip whose bare faces are known, and compares the result with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inpaint_model.errors import UserError
from realtime.align.affine import scale_of
from realtime.align.canonical_crop import similarity_from_landmarks
from realtime.align.warp_crop import warp_crop
from realtime.demo.clip import DemoClip
from realtime.frames import UnmaskResult
from realtime.imaging.mask_regions import dilated
from realtime.media.atomic_file import atomic_write
from realtime.media.clip import write_clip
from realtime.media.picture import Picture
from realtime.media.picture_writer import write_picture
from realtime.media.reader import VideoReader
from realtime.runtime.face_records import RecordCall
from realtime.runtime.report import Report
from realtime.settings import SEGMENT
from realtime.unmasker import Unmasker
from realtime.video.file import VideoOptions, unmask_video

_SHEET_ROWS = 4  # frames of the clip that the sheet shows
_CELL_PX = 320  # side of one image of the sheet
_CROPS_PER_CLIP = 25  # frames whose crops are compared: SSIM is slow


@dataclass(frozen=True)
class DemoResult:
    """How close the result is to the bare faces (the truth); means over the clip's frames.

    Attributes:
        frames, frames_unmasked, fps: of the video pipeline.
        psnr_mask_db: PSNR over the pixels of the worn mask.
        psnr_masked_db: the same before unmasking, for comparison.
        psnr_crop_db, ssim_crop: over the canonical crop, with the truth outside the mask.
        ssim_mask: SSIM over the mask's pixels of that crop.
        mask_iou: IoU of the replaced pixels and the worn mask, dilated by the product's margin.
        files: what was written, by description.
        report: of the video pipeline.
    """

    frames: int
    frames_unmasked: int
    fps: float
    psnr_mask_db: float
    psnr_masked_db: float
    psnr_crop_db: float
    ssim_crop: float
    ssim_mask: float
    mask_iou: float
    files: dict[str, str]
    report: Report

    def lines(self) -> list[str]:
        """Return the figures as lines of text."""
        return [
            f"{self.frames_unmasked} of {self.frames} frames unmasked, {self.fps:.1f} frames/s "
            f"(model {self.report.model}, engine {self.report.engine} {self.report.precision})",
            f"mask pixels : PSNR {self.psnr_mask_db:.2f} dB (masked: {self.psnr_masked_db:.2f} dB), "
            f"SSIM {self.ssim_mask:.3f}",
            f"face crop   : PSNR {self.psnr_crop_db:.2f} dB, SSIM {self.ssim_crop:.3f}",
            f"mask found  : IoU {self.mask_iou:.3f}",
            *(f"{what:12}: {path}" for what, path in self.files.items()),
        ]


class _ReplacedPixels:
    """Keeps the replaced pixels of each frame, one bit a pixel, to compare them after the run."""

    def __init__(self) -> None:
        self._packed: list[NDArray[np.uint8]] = []

    def __call__(self, result: UnmaskResult) -> None:
        self._packed.append(np.packbits(result.replaced > 0, axis=1))

    def ious(self, clip: DemoClip) -> list[float]:
        """Return the IoU of each frame with the worn mask, dilated by the product's margin."""
        ious = []
        for index, packed in enumerate(self._packed):
            found = np.unpackbits(packed, axis=1, count=clip.path.side) > 0
            scale = scale_of(similarity_from_landmarks(clip.landmarks(index)))
            radius = round(SEGMENT.hole_margin_px / scale)
            worn = dilated(clip.mask(index), radius)
            ious.append(float((worn & found).sum() / max((worn | found).sum(), 1)))
        return ious


def run_demo(
    out: Path,
    unmasker: Unmasker,
    progress: Callable[[int, int], None] | None = None,
    models_dir: Path | None = None,
    clip: DemoClip | None = None,
    on_record: RecordCall | None = None,
) -> DemoResult:
    """Render the masked clip, unmask it as `unmask video` does, compare, and write the results.

    Args:
        out: folder; made if absent. Files of an earlier demo in it are replaced.
        unmasker: reset first.
        progress: called after each frame.
        models_dir: folder searched first for MediaPipe's model.
        clip: the clip; the standard one if not given.
        on_record: called with the record of each face in each frame.

    Raises:
        UserError: the folder cannot be used.
    """
    make_folder(out)
    clip = clip or DemoClip(models_dir=models_dir)
    masked, unmasked = out / "masked.mp4", out / "unmasked.mp4"
    write_clip(masked, clip.masked_bgr(), clip.path.fps)
    replaced = _ReplacedPixels()
    options = VideoOptions(overwrite=True)
    report = unmask_video(masked, unmasked, unmasker, options, progress, replaced, on_record)
    ious = replaced.ious(clip)
    figures = _compare(clip, unmasked)
    _write_before_after(out / "before_after.mp4", masked, unmasked, clip.path.fps)
    _write_sheet(out / "sheet.png", clip, unmasked)
    files = {"before/after": str(out / "before_after.mp4"), "picture": str(out / "sheet.png")}
    result = DemoResult(
        frames=report.frames,
        frames_unmasked=sum(iou > 0 for iou in ious),
        fps=report.fps,
        mask_iou=float(np.mean(ious)),
        files=files,
        report=report,
        **figures,
    )
    with atomic_write(out / "demo.json", overwrite=True) as temporary:
        temporary.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
    return result


def make_folder(path: Path) -> None:
    """Make a folder of results where there is none.

    Raises:
        UserError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path}: the folder cannot be made ({error.strerror})") from None


def _compare(clip: DemoClip, unmasked: Path) -> dict[str, float]:
    """Return mean figures over the frames; those of the crops are of frames spread over the clip."""
    rows: list[dict[str, float]] = []
    step = max(clip.path.frames // _CROPS_PER_CLIP, 1)
    for index, result_rgb in enumerate(_frames_rgb(unmasked)):
        truth, mask = clip.truth_rgb(index), clip.mask(index)
        row = {"psnr_mask_db": _psnr(result_rgb[mask], truth[mask])}
        if index % step == 0:
            row["psnr_masked_db"] = _psnr(clip.masked_rgb(index)[mask], truth[mask])
            composited = np.where(mask[..., None], result_rgb, truth)
            matrix = similarity_from_landmarks(clip.landmarks(index))
            shown, true = (warp_crop(image, matrix)[0] for image in (composited, truth))
            hole = warp_crop(np.repeat(mask[..., None] * np.uint8(255), 3, 2), matrix)[0]
            row |= _crop_figures(shown, true, hole[:, :, 0] > 127)
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    return {n: round(float(np.mean([r[n] for r in rows if n in r])), 4) for n in names}


def _crop_figures(
    shown: NDArray[np.uint8], true: NDArray[np.uint8], hole: NDArray[np.bool_]
) -> dict[str, float]:
    from skimage.metrics import structural_similarity  # of the extra `demo`

    mean, similarity = structural_similarity(shown, true, channel_axis=2, full=True)[:2]
    return {
        "psnr_crop_db": _psnr(shown, true),
        "ssim_crop": float(mean),
        "ssim_mask": float(np.asarray(similarity)[hole].mean()) if hole.any() else 1.0,
    }


def _psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    error = np.square(one.astype(np.float32) - other).mean() if one.size else 0.0
    return float(10 * np.log10(255**2 / max(float(error), 1e-2)))


def _frames_rgb(path: Path) -> Iterator[NDArray[np.uint8]]:
    with VideoReader(path) as file:
        for frame in file:
            yield np.ascontiguousarray(frame.image_bgr[:, :, ::-1])


def _write_before_after(target: Path, masked: Path, unmasked: Path, fps: int) -> None:
    pairs = zip(_frames_rgb(masked), _frames_rgb(unmasked), strict=True)
    images = (np.ascontiguousarray(np.hstack(pair)[:, :, ::-1]) for pair in pairs)
    write_clip(target, images, fps)


def _write_sheet(target: Path, clip: DemoClip, unmasked: Path) -> None:
    """Write a picture with one row a frame: masked, result, truth."""
    rows_at = {clip.path.frames * (2 * k + 1) // (2 * _SHEET_ROWS) for k in range(_SHEET_ROWS)}
    rows = [
        np.hstack(
            [
                cv2.resize(image, (_CELL_PX, _CELL_PX), interpolation=cv2.INTER_AREA)
                for image in (clip.masked_rgb(index), result_rgb, clip.truth_rgb(index))
            ]
        )
        for index, result_rgb in enumerate(_frames_rgb(unmasked))
        if index in rows_at
    ]
    sheet = np.vstack(rows)
    bar = np.full((36, sheet.shape[1], 3), 255, np.uint8)
    for column, text in enumerate(("masked", "unmasked: invented by a model", "truth")):
        place = (column * _CELL_PX + 8, 25)
        cv2.putText(bar, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1, cv2.LINE_AA)
    picture = Picture(np.ascontiguousarray(np.vstack([bar, sheet])[:, :, ::-1]))
    with atomic_write(target, overwrite=True) as temporary:
        write_picture(temporary, target, picture)

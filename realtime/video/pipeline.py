"""The way of a recorded video's frames: every frame, in order, smoothed with frames from both sides."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from realtime.frames import InpaintedFrame, TrackedFrame, UnmaskResult
from realtime.media.colour import EXACT
from realtime.media.frames import Frame
from realtime.media.native_planes import NativePlanes
from realtime.media.segment_encoder import SegmentEncoder
from realtime.media.side_by_side import draw_badge, side_by_side
from realtime.runtime.pipeline import Ordered, Pipeline
from realtime.runtime.report import Counts
from realtime.runtime.stage_times import StageTimes
from realtime.runtime.threads import opencv_in_one_thread
from realtime.stages import FrameUnmasker
from realtime.video.mask_gap_closing import close_mask_gaps
from realtime.video.track_smoothing import smooth_tracks

ProgressCall = Callable[[int, int], None]
"""Called with the frames done and the frames expected (0: not known)."""
ResultCall = Callable[[UnmaskResult], None]
"""Called with the result of each frame, in order."""

_POLICY = Ordered(depth=2)


@dataclass(frozen=True)
class LineOptions:
    """What is done besides unmasking.

    Attributes:
        side_by_side: source and result beside each other.
        badge: mark frames with synthetic faces.
        segment_frames: frames a segment.
    """

    side_by_side: bool
    badge: bool
    segment_frames: int


@dataclass(frozen=True, eq=False)
class _Decoded:
    """A frame in the format it is processed in, and upright 8-bit BGR."""

    frame: Frame
    native: av.VideoFrame
    image_bgr: NDArray[np.uint8]


class Line:
    """Runs the frames of one video from the source to the encoder.

    Five threads joined by short links, so that memory does not grow with the video. Decoding; detection and
    tracking; segmentation and inpainting; compositing; and encoding take about as long as one another on
    two cores (`python -m benchmarks file-fps`).

    Args:
        unmasker: called on each frame.
        coder: takes the results.
        pixel_format: planar, what frames are processed in.
        options: what else is done.
    """

    def __init__(
        self,
        unmasker: FrameUnmasker,
        coder: SegmentEncoder,
        pixel_format: str,
        options: LineOptions,
    ) -> None:
        self._unmasker, self._coder = unmasker, coder
        self._format, self._options = pixel_format, options
        self._view: NativePlanes | None = None
        self._segment = Counts()
        self._decode_times, self._encode_times = StageTimes(), StageTimes()

    def run(
        self,
        frames: Iterable[Frame],
        counts: Counts,
        expected: int,
        progress: ProgressCall | None,
        on_result: ResultCall | None = None,
    ) -> StageTimes:
        """Run until the frames end or a stage raises.

        Args:
            frames: in order.
            counts: continued; each segment keeps what was added in it.
            expected: about how many frames there are in all.
            progress: told after each frame.
            on_result: given each result, before it is encoded.
        """
        times = StageTimes()
        first_track = max(counts.track_ids, default=-1) + 1
        stages = [self._detect_and_track, self._segment_and_inpaint, self._composite]
        with (
            opencv_in_one_thread(),
            Pipeline(self._decode(frames), stages, _POLICY) as pipeline,
        ):
            for decoded, result in pipeline:
                times.add(result.latency_ms)
                if on_result is not None:
                    on_result(result)
                self._encode(decoded, result, counts, first_track)
                if progress is not None:
                    progress(counts.frames, expected)
        self._close_segment()
        times.merge(self._decode_times, first=True)
        times.merge(self._encode_times)
        return times

    def _decode(self, frames: Iterable[Frame]) -> Iterator[_Decoded]:
        """Decode, and convert to the format that is processed."""
        began = time.perf_counter()
        for frame in frames:
            native = self._in_format(frame.native)
            if self._view is None:
                self._view = NativePlanes(native)
            image_bgr = self._view.to_bgr(native)
            self._decode_times.add({"decode": (time.perf_counter() - began) * 1e3})
            yield _Decoded(frame, native, image_bgr)
            began = time.perf_counter()

    def _in_format(self, frame: av.VideoFrame) -> av.VideoFrame:
        if frame.format.name == self._format:
            return frame
        from_rgb = frame.format.is_rgb or frame.format.has_palette
        converted = frame.reformat(
            format=self._format,
            dst_colorspace=1 if from_rgb else None,
            dst_color_range=1 if from_rgb else frame.color_range or None,
            interpolation=EXACT,
            threads=1,
        )
        if from_rgb:
            converted.colorspace = converted.color_range = 1
        return converted

    def _detect_and_track(
        self, items: Iterator[_Decoded]
    ) -> Iterator[tuple[_Decoded, TrackedFrame]]:
        for item in items:
            yield (
                item,
                self._unmasker.detect_and_track(item.image_bgr, item.frame.time_s, smooth=False),
            )

    def _segment_and_inpaint(
        self, items: Iterator[tuple[_Decoded, TrackedFrame]]
    ) -> Iterator[tuple[_Decoded, InpaintedFrame]]:
        """Segment on smoothed tracks, and inpaint masks that the frames on both sides agree on."""
        segmented = ((i, self._unmasker.segment(tracked)) for i, tracked in smooth_tracks(items))
        for item, closed in close_mask_gaps(segmented):
            yield item, self._unmasker.inpaint(closed)

    def _composite(
        self, items: Iterator[tuple[_Decoded, InpaintedFrame]]
    ) -> Iterator[tuple[_Decoded, UnmaskResult]]:
        for item, inpainted in items:
            yield item, self._unmasker.composite(inpainted)

    def _encode(
        self, decoded: _Decoded, result: UnmaskResult, counts: Counts, first_track: int
    ) -> None:
        """Write a result into the frame's own planes and encode it; close a segment where one is full."""
        began = time.perf_counter()
        packet, follows_groups = decoded.frame.packet, self._coder.follows_groups
        if follows_groups and packet is not None and packet.is_key:
            self._close_segment()
        written = self._written(decoded, result)
        frame = decoded.frame
        self._coder.write(written, frame.pts, frame.duration, packet)
        for total in (counts, self._segment):
            total.add(result, first_track)
        if not follows_groups and self._segment.frames >= self._options.segment_frames:
            self._close_segment()
        self._encode_times.add({"encode": (time.perf_counter() - began) * 1e3})

    def _written(self, decoded: _Decoded, result: UnmaskResult) -> av.VideoFrame:
        view = self._view
        assert view is not None
        image_bgr, replaced = result.frame, result.replaced
        if self._options.badge and any(face.inpainted for face in result.faces):
            image_bgr, replaced = image_bgr.copy(), replaced.copy()
            draw_badge(image_bgr, replaced)
        written = view.write(decoded.native, decoded.image_bgr, image_bgr, replaced)
        if self._options.side_by_side:
            written = side_by_side(decoded.native, written, view.quarter_turns)
        return written

    def _close_segment(self) -> None:
        """Keep what was encoded since the last segment against a crash."""
        if self._segment.frames:
            untouched = not self._segment.masked_faces
            self._coder.close_segment(self._segment.as_json(), untouched=untouched)
            self._segment = Counts()

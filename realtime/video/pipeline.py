"""Runs the stages on every frame of a recorded video, in order, with smoothing that looks ahead."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from realtime.frames import UnmaskResult
from realtime.imaging.badge import paste_badge
from realtime.media.colour import EXACT, frame_bytes
from realtime.media.frames import Frame
from realtime.media.native_planes import NativePlanes
from realtime.media.segment_encoder import SegmentEncoder
from realtime.media.side_by_side import side_by_side
from realtime.runtime.face_records import face_records
from realtime.runtime.pipeline import run
from realtime.runtime.report import Counts
from realtime.runtime.stage_times import StageTimes
from realtime.runtime.threads import opencv_in_one_thread
from realtime.stages import FrameUnmasker
from realtime.video.look_ahead import HeldFrames, look_ahead_stages

ProgressCall = Callable[[int, int], None]
"""Called with the frames done and the frames expected (0: not known)."""
ResultCall = Callable[[UnmaskResult], None]
"""Called with the result of each frame, in order."""


@dataclass(frozen=True)
class OutputOptions:
    """How the frames of the result are drawn and stored.

    Attributes:
        side_by_side: source and result are shown side by side.
        badge: a label in the picture says which frames show synthetic faces.
        segment_frames: frames a segment.
    """

    side_by_side: bool
    badge: bool
    segment_frames: int


@dataclass(frozen=True, eq=False)
class _DecodedFrame:
    """A decoded frame in the pixel format of the result, and upright in 8-bit BGR."""

    source: Frame
    native: av.VideoFrame
    image_bgr: NDArray[np.uint8]

    @property
    def time_s(self) -> float:
        """The presentation time, seconds."""
        return self.source.time_s


class VideoPipeline:
    """Runs the frames of one video from the decoder to the encoder.

    The threads are joined by short queues, so memory does not grow with the video. Decoding and encoding
    have one each, and the stages have those of `realtime.settings.THREADS.video`.

    Args:
        unmasker: its stages are called on each frame.
        encoder: takes the frames of the result.
        pixel_format: FFmpeg's name of the planar pixel format of the result.
        options: how the frames of the result are drawn and stored.
    """

    def __init__(
        self,
        unmasker: FrameUnmasker,
        encoder: SegmentEncoder,
        pixel_format: str,
        options: OutputOptions,
    ) -> None:
        self._unmasker, self._encoder = unmasker, encoder
        self._pixel_format, self._options = pixel_format, options
        self._planes: NativePlanes | None = None
        self._segment_counts = Counts()
        self._segment_records: list[str] = []
        self._decode_times, self._encode_times = StageTimes(), StageTimes()

    def run(
        self,
        frames: Iterable[Frame],
        counts: Counts,
        expected: int,
        progress: ProgressCall | None,
        on_result: ResultCall | None = None,
    ) -> StageTimes:
        """Run until the frames end or a stage raises; return the time of each stage.

        Args:
            frames: in order.
            counts: the totals, continued; each segment is stored with the counts and the face
                records of its own frames.
            expected: about how many frames there are in all; 0: not known.
            progress: called after each frame.
            on_result: called with the result of each frame, before it is encoded.
        """
        times = StageTimes()
        first_track = max(counts.track_ids, default=-1) + 1

        def encode(item: tuple[_DecodedFrame, UnmaskResult]) -> None:
            decoded, result = item
            times.add(result.latency_ms)
            if on_result is not None:
                on_result(result)
            self._encode(decoded, result, counts, first_track)
            if progress is not None:
                progress(counts.frames, expected)

        frames = iter(frames)
        first = next(frames, None)
        if first is None:
            return times
        held = HeldFrames.of_size(frame_bytes(first.native))
        stages = look_ahead_stages(self._unmasker, held)
        once = iter([first])  # unlike a list, it lets the frame go
        decoded = self._decode(itertools.chain(once, frames))
        del first
        with opencv_in_one_thread():
            run(decoded, stages, encode, held.policy)
        self._close_segment()
        times.merge(self._decode_times, first=True)
        times.merge(self._encode_times)
        return times

    def _decode(self, frames: Iterable[Frame]) -> Iterator[_DecodedFrame]:
        """Decode, and convert to the pixel format of the result."""
        began = time.perf_counter()
        for frame in frames:
            native = self._in_pixel_format(frame.native)
            if self._planes is None:
                self._planes = NativePlanes(native)
            image_bgr = self._planes.to_bgr(native)
            self._decode_times.add({"decode": (time.perf_counter() - began) * 1e3})
            yield _DecodedFrame(frame, native, image_bgr)
            began = time.perf_counter()

    def _in_pixel_format(self, frame: av.VideoFrame) -> av.VideoFrame:
        if frame.format.name == self._pixel_format:
            return frame
        from_rgb = frame.format.is_rgb or frame.format.has_palette
        converted = frame.reformat(
            format=self._pixel_format,
            dst_colorspace=1 if from_rgb else None,
            dst_color_range=1 if from_rgb else frame.color_range or None,
            interpolation=EXACT,
            threads=1,
        )
        if from_rgb:
            converted.colorspace = converted.color_range = 1
        return converted

    def _encode(
        self, decoded: _DecodedFrame, result: UnmaskResult, counts: Counts, first_track: int
    ) -> None:
        """Encode the frame of the result; close the segment before a GOP, or once it is full."""
        began = time.perf_counter()
        source, follows_groups = decoded.source, self._encoder.follows_groups
        if follows_groups and source.packet is not None and source.packet.is_key:
            self._close_segment()
        output = self._output_frame(decoded, result)
        self._encoder.write(output, source.pts, source.duration, source.packet)
        for total in (counts, self._segment_counts):
            total.add(result, first_track)
        self._segment_records += face_records(result, source.index, source.time_s, first_track)
        if not follows_groups and self._segment_counts.frames >= self._options.segment_frames:
            self._close_segment()
        self._encode_times.add({"encode": (time.perf_counter() - began) * 1e3})

    def _output_frame(self, decoded: _DecodedFrame, result: UnmaskResult) -> av.VideoFrame:
        """Write the replaced pixels into the frame's own planes, and draw what the options ask for."""
        planes = self._planes
        assert planes is not None
        image_bgr, replaced = result.frame, result.replaced
        if self._options.badge and any(face.inpainted for face in result.faces):
            image_bgr, replaced = image_bgr.copy(), replaced.copy()
            replaced[paste_badge(image_bgr)] = 255
        output = planes.write(decoded.native, decoded.image_bgr, image_bgr, replaced)
        if self._options.side_by_side:
            output = side_by_side(decoded.native, output, planes.orientation)
        return output

    def _close_segment(self) -> None:
        """Store the frames encoded since the last segment, so that a crash does not lose them."""
        if self._segment_counts.frames:
            untouched = not self._segment_counts.masked_faces
            counts, records = self._segment_counts.as_json(), self._segment_records
            self._encoder.close_segment(counts, records, untouched=untouched)
            self._segment_counts, self._segment_records = Counts(), []

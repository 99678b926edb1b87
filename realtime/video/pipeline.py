"""The way of a video's frames: decode, look for faces, mark and fill, blend, code, a thread each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from realtime.frames import Filled, Marked, UnmaskResult
from realtime.media.colour import EXACT
from realtime.media.frames import Frame
from realtime.media.native_planes import NativePlanes
from realtime.media.segment_encoder import SegmentEncoder
from realtime.media.side_by_side import beside, draw_badge
from realtime.media.threaded_stage import ReadAhead, WriteBehind
from realtime.runtime.report import Counts
from realtime.runtime.stage_times import StageTimes
from realtime.runtime.threads import opencv_in_one_thread
from realtime.stages import FrameUnmasker, SteppedUnmasker
from realtime.unmasker import Seen
from realtime.video.mask_gap_closing import close_gaps
from realtime.video.track_smoothing import look_ahead

_DEPTH = 2


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
class _Looked:
    """A frame in the format it is processed in, and upright 8-bit BGR."""

    frame: Frame
    native: av.VideoFrame
    image_bgr: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class _Done:
    """A frame on its way to the coder; `notes` close a segment after it."""

    looked: _Looked
    result: UnmaskResult
    notes: dict[str, object] | None


class Line:
    """Runs the frames of one video from the source to the coder.

    Five threads joined by short queues, so that memory does not grow with the video.

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

    def run(
        self,
        frames: Iterable[Frame],
        counts: Counts,
        expected: int,
        progress: Callable[[int, int], None] | None,
    ) -> StageTimes:
        """Run until the frames end or a stage raises.

        Args:
            frames: in order.
            counts: continued; each segment keeps what was added in it.
            expected: about how many frames there are in all.
            progress: told after each frame.
        """
        times, decode_times, encode_times = StageTimes(), StageTimes(), StageTimes()
        segment = Counts()
        offset = max(counts.track_ids, default=-1) + 1
        last: _Done | None = None
        groups = self._coder.follows_groups

        def write(done: _Done) -> None:
            began = time.perf_counter()
            self._write(done)
            encode_times.add({"encode": (time.perf_counter() - began) * 1e3})

        looked = self._converted(frames, decode_times)
        with (
            opencv_in_one_thread(),
            ReadAhead(looked, _DEPTH) as ahead,
            ReadAhead(self._seen(ahead), _DEPTH) as seen_frames,
            ReadAhead(self._filled(seen_frames), _DEPTH) as filled_frames,
            WriteBehind(write, _DEPTH) as behind,
        ):
            for item, filled in filled_frames:
                result = self._unmask(item, filled)
                packet = item.frame.packet
                if groups and last is not None and packet is not None and packet.is_key:
                    last = _Done(last.looked, last.result, segment.as_notes())
                    segment = Counts()
                for total in (counts, segment):
                    total.add(result, offset)
                times.add(result.latency_ms)
                if last is not None:
                    behind.put(last)
                notes = None
                if not groups and segment.frames >= self._options.segment_frames:
                    notes, segment = segment.as_notes(), Counts()
                last = _Done(item, result, notes)
                if progress is not None:
                    progress(counts.frames, expected)
            if last is not None:
                notes = last.notes or segment.as_notes()
                behind.put(_Done(last.looked, last.result, notes))
        times.merge(decode_times, first=True)
        times.merge(encode_times)
        return times

    def _converted(self, frames: Iterable[Frame], times: StageTimes) -> Iterator[_Looked]:
        """Decode, and convert to what is worked on."""
        began = time.perf_counter()
        for frame in frames:
            native = self._in_format(frame.native)
            if self._view is None:
                self._view = NativePlanes(native)
            image_bgr = self._view.look(native)
            times.add({"decode": (time.perf_counter() - began) * 1e3})
            yield _Looked(frame, native, image_bgr)
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

    def _seen(self, items: Iterable[_Looked]) -> Iterator[tuple[_Looked, Seen | None]]:
        """Take the unmasker's first step, where it has several."""
        for item in items:
            seen = None
            if isinstance(self._unmasker, SteppedUnmasker):
                seen = self._unmasker.look(item.image_bgr, item.frame.time_s)
            yield item, seen

    def _filled(
        self, items: Iterable[tuple[_Looked, Seen | None]]
    ) -> Iterator[tuple[_Looked, Filled | None]]:
        """Take its second and third step, on tracks and masks that both sides agree on."""
        for item, marked in close_gaps(self._marked(look_ahead(items))):
            filled = None
            if marked is not None and isinstance(self._unmasker, SteppedUnmasker):
                filled = self._unmasker.fill(marked)
            yield item, filled

    def _marked(
        self, items: Iterable[tuple[_Looked, Seen | None]]
    ) -> Iterator[tuple[_Looked, Marked | None]]:
        for item, seen in items:
            marked = None
            if seen is not None and isinstance(self._unmasker, SteppedUnmasker):
                marked = self._unmasker.mark(seen)
            yield item, marked

    def _unmask(self, item: _Looked, filled: Filled | None) -> UnmaskResult:
        if filled is not None and isinstance(self._unmasker, SteppedUnmasker):
            return self._unmasker.blend(filled)
        return self._unmasker(item.image_bgr)

    def _write(self, done: _Done) -> None:
        """Put the result into the frame's own planes and code it."""
        item, view = done.looked, self._view
        assert view is not None
        image_bgr, replaced = done.result.frame, done.result.replaced
        if self._options.badge and any(face.inpainted for face in done.result.faces):
            image_bgr, replaced = image_bgr.copy(), replaced.copy()
            draw_badge(image_bgr, replaced)
        written = view.write(item.native, item.image_bgr, image_bgr, replaced)
        if self._options.side_by_side:
            written = beside(item.native, written, view.quarter_turns)
        frame = item.frame
        self._coder.write(written, frame.pts, frame.duration, frame.packet)
        if done.notes is not None:
            self._coder.close_segment(done.notes, untouched=not done.notes["masked_faces"])

"""Capture; find faces and masks; fill and blend: a thread each, between two never more than one frame."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

from realtime.capture.frame import CapturedFrame
from realtime.frames import Marked, UnmaskResult
from realtime.live.latest_slot import Ended, LatestSlot
from realtime.stages import FrameUnmasker, SteppedUnmasker


class LiveSource(Protocol):
    """What the pipeline needs of a capture: `Reconnecting`, or a test's own."""

    def read(self) -> CapturedFrame | None:
        """Wait for the next picture; None at the end or soon after `stop`."""
        ...

    def stop(self) -> None:
        """Make `read` return soon; from any thread."""
        ...


@dataclass(frozen=True, eq=False)
class Processed:
    """A frame that is ready to be shown.

    Attributes:
        shot: as it was captured.
        result: unmasked.
    """

    shot: CapturedFrame
    result: UnmaskResult

    def age_ms(self) -> float:
        """How long ago it was captured."""
        return (time.perf_counter() - self.shot.captured_s) * 1e3


class LivePipeline:
    """Runs the stages while the context is entered; the caller, who shows, takes frames with `next`.

    The newest frame wins: between two stages lies at most one frame. Captured frames replace each
    other until somebody looks at them, finished ones until they are shown. Nobody looks at a frame
    before the last one is being filled: what is looked at is not thrown away. More threads would not be
    faster on two cores, and a frame would wait more often.

    Args:
        source: read in a thread of its own; not closed.
        unmasker: used from two threads, two steps each; not closed.

    Attributes:
        skipped: captured frames left out by the source.
        not_looked_at, not_shown: frames replaced by newer ones before and after the unmasker.
    """

    def __init__(self, source: LiveSource, unmasker: FrameUnmasker) -> None:
        self._source, self._unmasker = source, unmasker
        self._captured: LatestSlot[CapturedFrame] = LatestSlot()
        self._marked: LatestSlot[tuple[CapturedFrame, Marked | None]] = LatestSlot()
        self._finished: LatestSlot[Processed] = LatestSlot()
        self._stopping = threading.Event()
        self._error: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._run, args=stage, name=f"live {stage[0].__name__[1:]}")
            for stage in (
                (self._capture, self._captured),
                (self._mark, self._marked),
                (self._fill, self._finished),
            )
        ]
        self.skipped = 0

    @property
    def not_looked_at(self) -> int:
        """Frames replaced by newer ones before anybody looked for faces in them."""
        return self._captured.dropped

    @property
    def not_shown(self) -> int:
        """Finished frames replaced by newer ones before they were shown."""
        return self._finished.dropped

    @property
    def dropped(self) -> int:
        """All frames that were captured, or should have been, and are not shown."""
        return self.skipped + self.not_looked_at + self.not_shown

    def next(self, timeout_s: float) -> Processed | None:
        """Wait for the newest finished frame; None where none came in time.

        Raises:
            Ended: the source has ended and every frame was taken.
            BaseException: what a stage raised.
        """
        try:
            return self._finished.take(timeout_s)
        except Ended:
            if self._error is not None:
                raise self._error from None
            raise

    def _run(self, stage: Callable[[], None], output: LatestSlot) -> None:
        """A thread's life; whatever ends it, the stages after it end as well, and an error ends all."""
        try:
            stage()
        except Ended:
            pass
        except BaseException as error:
            self._error = self._error or error
            self.stop()
        finally:
            output.close()

    def _capture(self) -> None:
        following = 0
        while not self._stopping.is_set():
            shot = self._source.read()
            if shot is None:
                return
            self.skipped += shot.index - following
            following = shot.index + 1
            self._captured.put(shot)

    def _mark(self) -> None:
        unmasker = self._unmasker
        while not self._stopping.is_set():
            self._marked.wait_for_room()
            shot = self._captured.take()
            if shot is None:
                continue
            marked = None
            if isinstance(unmasker, SteppedUnmasker):
                marked = unmasker.mark(unmasker.look(shot.image_bgr, shot.captured_s))
            self._marked.put((shot, marked))

    def _fill(self) -> None:
        unmasker = self._unmasker
        while not self._stopping.is_set():
            item = self._marked.take()
            if item is None:
                continue
            shot, marked = item
            if marked is not None and isinstance(unmasker, SteppedUnmasker):
                result = unmasker.blend(unmasker.fill(marked))
            else:
                result = unmasker(shot.image_bgr)
            self._finished.put(Processed(shot, result))

    def stop(self) -> None:
        """Make every stage end soon; from any thread."""
        self._stopping.set()
        self._source.stop()
        for slot in (self._captured, self._marked, self._finished):
            slot.close(empty=True)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for thread in self._threads:
            thread.join()

"""A recording can be played at any moment, whatever ends it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import av
import pytest

from inpaint_model.errors import OutputError
from realtime.live.recording import Recorder
from tests.realtime.making_live import largest_file
from tests.realtime.making_media import moving_images

FPS, SECONDS = 20, 5


def _record(recorder: Recorder) -> None:
    for number, image in enumerate(moving_images(FPS * SECONDS)):
        _wait_until_taken(recorder)
        recorder.put(image, number / FPS, synthetic=False)
    _wait_until_taken(recorder)


def _wait_until_taken(recorder: Recorder) -> None:
    """Wait until the last frame is taken, or the recorder has ended."""
    waiter = threading.Thread(target=recorder._frames.wait_until_taken, daemon=True)
    waiter.start()
    while waiter.is_alive() and recorder._thread.is_alive():
        waiter.join(0.01)


def _length_s(path: Path) -> float:
    with av.open(str(path)) as file:
        return max(float(frame.time or 0) for frame in file.decode(video=0))


def test_recording_can_be_played_while_it_grows(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, FPS)
    _record(recorder)
    left = tmp_path / "left.mp4"
    shutil.copy(recorder.target, left)  # as SIGKILL would leave it
    assert _length_s(left) > SECONDS - 2
    recorder.close()
    assert _length_s(recorder.target) == pytest.approx(SECONDS - 1 / FPS, abs=0.01)


def test_recording_on_a_full_disk_is_kept_up_to_there(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, FPS)
    with largest_file(20_000), pytest.raises(OutputError, match=r"mp4: .*large.*is kept"):
        _record(recorder)
        recorder.close()
    recorder._thread.join()
    assert recorder.target.stat().st_size < 20_000
    assert _length_s(recorder.target) > 1


def test_recording_in_the_same_second_has_another_name(tmp_path: Path) -> None:
    recorders = [Recorder(tmp_path, FPS) for _ in range(3)]
    assert len({recorder.target for recorder in recorders}) == 3
    for recorder in recorders:
        with pytest.raises(Exception, match="nothing was recorded"):
            recorder.close()
    assert list(tmp_path.iterdir()) == []

"""What the feed reads: files to their end, live sources as they come."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from inpaint_model.errors import UserError
from realtime.feed.sources import FeedFrame, LiveOptions, open_source
from tests.realtime.making_feed import FRAMES
from tests.realtime.making_live import network_camera
from tests.realtime.making_media import StubUnmasker


def read(source: Path | str, live: LiveOptions | None = None) -> list[FeedFrame]:
    with closing(open_source(str(source), live)) as opened:
        return list(opened.frames(StubUnmasker()))


def test_video_gives_every_frame_once_in_order(masked_clip: Path) -> None:
    frames = read(masked_clip)
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert np.allclose([frame.time_s for frame in frames], np.arange(FRAMES) / 25)
    for frame in frames:
        changed = (frame.image_bgr != frame.result.frame).any(2)
        assert changed.any()
        assert not changed[frame.result.replaced == 0].any()
        assert (frame.captured_at, frame.dropped_frames) == (None, None)


def test_folder_gives_its_pictures_and_names_a_broken_one(picture_folder: Path) -> None:
    with closing(open_source(str(picture_folder))) as opened:
        frames = list(opened.frames(StubUnmasker(faces=2)))
        assert opened.mode == "image"
        assert opened.failed == 1
        (warning,) = opened.warnings
    assert "3_broken.png" in warning
    names = [Path(frame.source).name for frame in frames]
    assert names == ["1_masked.png", "2_bare.png"]
    assert [frame.index for frame in frames] == [0, 1]
    first, second = (frame.first_track_id for frame in frames)
    assert first == 0
    assert second > max(face.track_id for face in frames[0].result.faces)


def test_single_broken_picture_is_an_error(picture_folder: Path) -> None:
    with pytest.raises(UserError, match=r"3_broken\.png"):
        read(picture_folder / "3_broken.png")


def test_folder_without_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(UserError, match="contains no picture"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("source", ["missing.mp4", "gopher://host/stream"])
def test_source_that_does_not_exist_is_an_error(source: str) -> None:
    with pytest.raises(UserError):
        open_source(source)


def test_live_source_stops_in_time_and_says_when_frames_came() -> None:
    with network_camera() as camera:
        began = datetime.now(UTC)
        frames = read(camera.url, LiveOptions(seconds=0.3))
    assert len(frames) > 2
    assert frames[0].time_s == 0
    assert frames[-1].time_s <= 0.3
    indices = [frame.index for frame in frames]
    assert indices == sorted(set(indices))
    left_out = indices[-1] + 1 - len(frames)
    assert (frames[-1].dropped_frames or 0) >= left_out
    for frame in frames:
        assert frame.captured_at is not None
        at = datetime.fromisoformat(frame.captured_at)
        assert began - timedelta(seconds=0.1) <= at <= datetime.now(UTC)


def test_content_key_follows_the_content(masked_clip: Path, tmp_path: Path) -> None:
    content = masked_clip.read_bytes()
    for name, data in {"a.mp4": content, "b.mp4": content, "c.mp4": content + b"\0"}.items():
        (tmp_path / name).write_bytes(data)
    keys = []
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        with closing(open_source(str(tmp_path / name))) as opened:
            keys.append(opened.content_key)
    assert keys[0] == keys[1] != keys[2]

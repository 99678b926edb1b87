"""The window on a display in memory: real keys, real sizes, and what the screen then shows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2

from tests.realtime.making_media import StubUnmasker
from tests.realtime.x_display import XDisplay, wait_until

# Prints each key that the window returns, and whether it is in full screen.
KEYS_PROGRAM = """if True:
    import time
    import cv2
    from realtime.live.choices import Key
    from realtime.live.window import Window
    from tests.realtime.live.making_previews import make_preview
    window, full, key = Window(), 0.0, None
    window.show(make_preview())
    print("shown", flush=True)
    while key is not Key.QUIT:
        time.sleep(0.005)
        key = window.poll()
        if key is not None:
            print(key.name, flush=True)
        elif (now := cv2.getWindowProperty("unmask", cv2.WND_PROP_FULLSCREEN)) != full:
            full = now
            print("full screen" if full else "window", flush=True)
"""
# Runs a whole session, with a stub for the networks; it paints the lower left quarter of each frame.
SESSION_PROGRAM = """if True:
    import sys
    from pathlib import Path
    from realtime.capture import Reconnecting
    from realtime.live.session import LiveOptions, run_live
    from realtime.live.toasts import Toasts
    from realtime.live.view import View
    from realtime.live.window import Window
    from tests.realtime.making_live import FakeCamera
    from tests.realtime.making_media import StubUnmasker
    source = Reconnecting(lambda: FakeCamera(1_000_000, interval_s=0.02), print)
    toasts = Toasts(lambda line: print(line, flush=True))
    options = LiveOptions(out=Path(sys.argv[1]), view=View(badge=False))
    print(run_live(source, Window(), StubUnmasker(), options, toasts).frames, "frames")
"""
PAINT_BGR = StubUnmasker.PAINT_BGR
BAR_PX = 26  # of a window that is less than 832 pixels wide


@contextmanager
def running(
    display: XDisplay, program: str, *arguments: str
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a program until its window is open; it must end well when the user quits."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(
        command,
        env=display.environment(),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process, display.wait_for_window(process)
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_window_poll_returns_the_keys_that_are_pressed(display: XDisplay) -> None:
    with running(display, KEYS_PROGRAM) as (process, window):
        assert process.stdout is not None
        assert process.stdout.readline() == "shown\n"
        expected = {
            "u": "UNMASKING",
            "U": "UNMASKING",
            "+": "STRONGER",
            "=": "STRONGER",
            "-": "WEAKER",
            "m": "MIRROR",
            "s": "SIDE_BY_SIDE",
            "b": "BOXES",
            "c": "NEXT_CAMERA",
            "p": "SNAPSHOT",
            "r": "RECORD",
            "h": "BAR",
            "?": "HELP",
            "f": "full screen",
            "Escape": "window",
            "q": "QUIT",
        }
        for key, printed in expected.items():
            display.press(window, key)
            assert process.stdout.readline() == f"{printed}\n", key


def test_window_key_escape_quits(display: XDisplay) -> None:
    with running(display, KEYS_PROGRAM) as (process, window):
        assert process.stdout is not None
        assert process.stdout.readline() == "shown\n"
        display.press(window, "Escape")
        assert process.stdout.readline() == "QUIT\n"


def test_window_mirror_and_sides_keep_the_size(display: XDisplay, tmp_path: Path) -> None:
    with running(display, SESSION_PROGRAM, str(tmp_path)) as (_, window):

        def is_painted(x: int, y: int) -> bool:
            return bool((abs(display.look(window)[y, x].astype(int) - PAINT_BGR) < 8).all())

        wait_until(lambda: display.box(window)[2:] == (320, 240 + BAR_PX))
        wait_until(lambda: is_painted(80, 180) and not is_painted(240, 180))
        display.press(window, "m")
        wait_until(lambda: is_painted(240, 180) and not is_painted(80, 180))
        display.resize(window, 600, 400 + BAR_PX)
        display.press(window, "s")
        wait_until(lambda: is_painted(525, 280) and not is_painted(225, 280))
        assert display.box(window)[2:] == (600, 400 + BAR_PX)
        display.press(window, "p")
        wait_until(lambda: list(tmp_path.glob("*.png")))
        display.press(window, "q")
    (path,) = tmp_path.glob("*.png")
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape == (48, 128, 3)
    assert picture[40, 64 + 10].tolist() == list(PAINT_BGR)  # both sides, not mirrored


def test_window_recording_is_seen_until_it_is_saved(display: XDisplay, tmp_path: Path) -> None:
    with running(display, SESSION_PROGRAM, str(tmp_path)) as (process, window):

        def has_sign() -> bool:
            corner = display.look(window)[:40, 200:].astype(int)
            return bool(((corner[..., 2] > 180) & (corner[..., 1] < 80)).any())

        def has_bar() -> bool:
            return display.look(window)[-3, 150].tolist() == [32, 32, 32]

        wait_until(has_bar)
        assert not has_sign()
        display.press(window, "r")
        wait_until(has_sign)
        display.press(window, "h")
        wait_until(lambda: not has_bar())
        assert has_sign()
        display.press(window, "r")
        wait_until(lambda: not has_sign())
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"recording saved: {tmp_path}")
        display.press(window, "q")
    assert len(list(tmp_path.glob("*.mp4"))) == 1

"""Writes one small good file of every kind that the commands read; the benchmark then damages them."""

from __future__ import annotations

import zipfile
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np

from inpaint_model.model_files import WEIGHTS_DIR


def good_stream(folder: Path) -> Path:
    """Write what a server sends, `a.ts` and `p.jpg`, and return the folder."""
    folder.mkdir(exist_ok=True)
    images = _images()
    _write_video(folder / "a.ts", "libx264", "yuv420p", images)
    cv2.imwrite(str(folder / "p.jpg"), images[0])
    return folder


def _images() -> list[np.ndarray]:
    xs, ys = np.meshgrid(np.arange(96), np.arange(64))
    directions = ((1, 0), (0, 1), (1, 1))  # of each channel's wave
    images = [
        np.stack([128 + 90 * np.sin((xs * a + ys * b) / 20 + n / 6) for a, b in directions], 2)
        for n in range(20)
    ]
    return [image.astype(np.uint8) for image in images]


def good_files(folder: Path) -> list[Path]:
    """Write one good file of every kind; return their paths, sorted."""
    folder.mkdir(exist_ok=True)
    images = _images()
    videos = [
        ("a.mp4", "libx264", "yuv420p"),
        ("a.mkv", "libx264", "yuv444p"),
        ("b.mp4", "libx265", "yuv420p10le"),
        ("a.webm", "libvpx-vp9", "yuv420p"),
        ("a.avi", "mpeg4", "yuv420p"),
        ("a.mov", "prores_ks", "yuv422p10le"),
        ("a.ts", "libx264", "yuv420p"),
        ("a.mpg", "mpeg2video", "yuv420p"),
        ("a.gif", "gif", "rgb8"),
        ("raw.avi", "rawvideo", "yuv420p"),
        ("png.mov", "png", "rgba"),
        ("ff.mkv", "ffv1", "gray16le"),
        ("mono.mkv", "ffv1", "bgra64le"),
        ("nut.nut", "ffv1", "yuv410p"),
        ("pal.avi", "rawvideo", "pal8"),
        ("fl.flv", "flv1", "yuv420p"),
        ("wm.wmv", "wmv2", "yuv420p"),
    ]
    for name, codec, pixel_format in videos:
        _write_video(folder / name, codec, pixel_format, images)
    for suffix in (".png", ".jpg", ".webp", ".tiff", ".bmp"):
        cv2.imwrite(str(folder / f"p{suffix}"), images[0])
    cv2.imwrite(str(folder / "deep.png"), images[0].astype(np.uint16) * 257)
    (folder / "m.onnx").write_bytes((WEIGHTS_DIR / "fast.int8.onnx").read_bytes())
    np.savez(folder / "f.npz", images=np.zeros((4, 128, 128, 3), np.uint8))
    with zipfile.ZipFile(folder / "face_landmarker.task", "w") as file:
        file.writestr("face_detector.tflite", b"TFL3" * 50)
    return sorted(path for path in folder.iterdir() if path.stat().st_size)


def _write_video(path: Path, codec: str, pixel_format: str, images: list[np.ndarray]) -> None:
    try:
        with av.open(str(path), "w") as file:
            stream = file.add_stream(codec, rate=25)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = 96, 64, pixel_format
            if codec == "libx265":
                stream.codec_context.options = {"x265-params": "log-level=none"}
            if path.suffix in (".mp4", ".mkv", ".mov"):
                file.add_stream("aac", rate=48000)
            for index, image in enumerate(images):
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                file.mux(stream.encode(frame))
            file.mux(stream.encode(None))
    except (av.error.FFmpegError, ValueError):
        path.unlink(missing_ok=True)  # this build of FFmpeg does not write it

"""Makes files with an odd text, name or place: playlists, quotes, pipes, circular links."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def odd_texts(folder: Path) -> Iterator[tuple[str, Path]]:
    """Write text that FFmpeg would follow to other files and hosts; yield name and path of each."""
    texts = {
        "list.m3u8": "#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "net.m3u8": "#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "list.mp4": "ffconcat version 1.0\nfile '/etc/passwd'\n",
        "call.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "page.mkv": "<html><body>not a video</body></html>\n",
        "words.mp4": "word " * 4000,
        "entity.svg.png": '<!DOCTYPE s [<!ENTITY a "aaaa">]><svg>&a;</svg>',
        "words.onnx": "word " * 4000,
    }
    for name, text in texts.items():
        path = folder / name
        path.write_text(text)
        yield name, path


def odd_names(folder: Path, good: dict[str, bytes]) -> Iterator[tuple[str, Path]]:
    """Write good files under names that a shell, a format string or FFmpeg would interpret.

    Args:
        folder: where they are written.
        good: contents by the names of the good files.
    """
    names: list[bytes] = [
        b"a b.mp4", b"'quoted'.mp4", b'"double".mp4', b"new\nline.mp4", b"tab\t.mp4", b"-dash.mp4",
        b"%s%n.mp4", b"$(id).mp4", b"\xff\xfe.mp4", b"\xc3\x28.png", b"file:x.mp4", b"x?y#z.mp4",
        b"%03d.png", "ünïcödé 字.mp4".encode(), b"a" * 240 + b".mp4", b"pipe:0.mp4", b"new\nline.png",
    ]  # fmt: skip
    for raw in names:
        path = folder / os.fsdecode(raw)
        path.write_bytes(good["p.png"] if raw.endswith(b"png") else good["a.mp4"])
        yield f"name {raw!r}", path


def odd_places(folder: Path) -> Iterator[tuple[str, Path]]:
    """Make links, folders, pipes and devices in the place of files."""
    makers: list[tuple[str, Callable[[Path], None]]] = [
        ("loop.mp4", lambda path: path.symlink_to(path)),
        ("dangling.mp4", lambda path: path.symlink_to(folder / "nothing")),
        ("folder.mp4", lambda path: path.mkdir()),
        ("pipe.mp4", lambda path: os.mkfifo(path)),
        ("device.mp4", lambda path: path.symlink_to("/dev/zero")),
        ("loop.png", lambda path: path.symlink_to(path)),
        ("pipe.png", lambda path: os.mkfifo(path)),
        ("device.png", lambda path: path.symlink_to("/dev/zero")),
        ("missing.onnx", lambda _: None),
        ("folder.onnx", lambda path: path.mkdir()),
    ]
    for name, make in makers:
        path = folder / name
        make(path)
        yield name, path

"""What names, tags and addresses may do to a terminal, and what they tell."""

from __future__ import annotations

import pytest

from realtime.runtime.shown_text import hide_secrets, printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.png: 1 picture", "a.png: 1 picture"),
        ("Grüße 写真 👩\u200d🚀", "Grüße 写真 👩\u200d🚀"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\nunmask: done\r\x07\x9b\x7f", r"a\nunmask: done\r\x07\x9b\x7f"),
        ("gpj.\u202egnp", r"gpj.\u202egnp"),
        ("\u2028\ufeff\udcff", r"\u2028\ufeff\udcff"),
        ("lost rtsp://me:word@cam/1?pwd=word now", "lost rtsp://***@cam/1?pwd=*** now"),
    ],
)
def test_printable_is_one_line_without_controls(text: str, expected: str) -> None:
    assert printable(text) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("clip.mp4?a=b", "clip.mp4?a=b"),
        ("http://cam:81/v.mjpg", "http://cam:81/v.mjpg"),
        (
            "http://me:s@cam/v?token=S&pwd=S;x=S#t=S",
            "http://***@cam/v?token=***&pwd=***;x=***#t=***",
        ),
        ("http://cam/v?S&a=S", "http://cam/v?***&a=***"),
        ("rtsp://cam/user=S&password=S&channel=S", "rtsp://cam/user=***&password=***&channel=***"),
        ("rtsp://me:a/S@cam/v", "rtsp://***"),
        ("rtsp://me:a?S@cam/v", "rtsp://***"),
        ("http://cam/v?mail=a@S", "http://***"),
    ],
)
def test_hide_secrets_keeps_what_names_the_source(address: str, expected: str) -> None:
    assert hide_secrets(address) == expected

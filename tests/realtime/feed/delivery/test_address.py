"""Addresses: what cannot work is refused at once, in one line without the password."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from inpaint_model.errors import UserError
from realtime.feed.delivery import check_out
from realtime.feed.delivery.address import read_address


@pytest.mark.parametrize(
    ("out", "reason"),
    [
        ("ftp://host/place", "http://"),
        ("tcp://host", "port is missing"),
        ("tcp://host:70000", "port is a number"),
        ("tcp://host:80/path", "takes no path"),
        ("tcp://user:secret@host:80", "takes no user"),
        ("tcp://:80", "host is missing"),
        ("http://", "host is missing"),
        ("http://user:sec/ret@host/", "port is a number"),
        ("http://host/a path", "percent-encoded"),
        ("http://[host/", "is not an address"),
        ("unix://relative/path", "three slashes"),
        ("unix:///", "three slashes"),
        ("unix:///" + "long" * 30, "longer than"),
        ("mqtt://host/a/+/b", "topic"),
        ("mqtt:///topic", "host is missing"),
    ],
)
def test_check_out_bad_address_is_refused(out: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason) as caught:
        check_out(out)
    assert "\n" not in str(caught.value)
    assert "sec" not in str(caught.value).replace("second", "")


@pytest.mark.parametrize(
    "out",
    [
        "-",
        "unix:///tmp/no-such.socket",
        "tcp://[::1]:80",
        "https://host",
        "mqtts://host",
        "new.jsonl",
    ],
)
def test_check_out_good_address_is_accepted(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_out(out)
    assert list(tmp_path.iterdir()) == []


def test_check_out_mqtt_without_paho_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'unmask-video\[feed\]'"):
        check_out("mqtt://host")


def test_address_password_is_never_shown() -> None:
    for out in (
        "https://me:s%40cret@host:8443/in?token=s%40cret",
        "mqtt://me:s%40cret@host/door/",
        "http://me:s%40cret@host/@place",
    ):
        address = read_address(out)
        assert (address.user, address.password) == ("me", "s@cret")
        assert "cret" not in address.name + repr(address).replace("token=s%40cret", "")
        assert "cret" not in address.identity.replace("token=s%40cret", "")
    assert read_address("mqtt://host/door/").path == "door"
    assert read_address("mqtts://host").path == "unmask"
    assert (read_address("mqtts://host").port, read_address("mqtt://host").port) == (8883, 1883)


def test_address_token_beside_a_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNMASK_FEED_TOKEN", "abc")
    assert read_address("http://host").token == "abc"
    with pytest.raises(UserError, match="only one of both"):
        check_out("http://me:secret@host")
    monkeypatch.setenv("UNMASK_FEED_TOKEN", "two\nlines")
    with pytest.raises(UserError, match="UNMASK_FEED_TOKEN"):
        check_out("http://host")

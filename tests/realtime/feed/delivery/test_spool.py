"""The queue on disk."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from inpaint_model.errors import UserError
from realtime.feed.delivery.spool import Spool, open_spool
from realtime.settings import DeliverySettings
from tests.realtime.feed.delivery.making_receivers import line


def opened(*, remembers: bool = True, **settings: float) -> Spool:
    spool, warning = open_spool(
        "source",
        "receiver",
        remembers=remembers,
        settings=DeliverySettings(**settings),  # pyright: ignore[reportArgumentType]
    )
    assert warning == ""
    return spool


def put(spool: Spool, *numbers: int) -> None:
    for number in numbers:
        assert spool.put(line(number))


def keys(spool: Spool, after: int = 0, most: int = 100) -> list[str]:
    return [taken.key for taken in spool.take(after, most)]


def test_spool_known_keys_are_left_out_after_reopening() -> None:
    spool = opened()
    put(spool, 0, 1, 2)
    (first, *_) = spool.take(0, 100)
    spool.remove(first.number)
    spool.close(remove=False)
    spool = opened()
    put(spool, 0, 1, 2, 3)
    assert keys(spool) == ["k1", "k2"]  # the batch that was taken before
    assert keys(spool, after=3) == ["k3"]
    spool.close(remove=False)


def test_spool_face_and_best_shot_of_one_key_are_two() -> None:
    spool = opened()
    put(spool, 0)
    assert spool.put(line(0, event="best_shot"))
    assert keys(spool) == ["k0", "k0"]
    spool.close(remove=True)


def test_spool_batch_stays_the_same_after_reopening() -> None:
    spool = opened()
    put(spool, *range(5))
    assert keys(spool, most=2) == ["k0", "k1"]
    spool.close(remove=False)
    spool = opened()
    assert keys(spool) == ["k0", "k1"]
    spool.remove(2)
    assert keys(spool) == ["k2", "k3", "k4"]
    spool.close(remove=False)


def test_spool_batch_is_bounded_in_bytes() -> None:
    size = len(line(0).text)
    spool = opened(batch_bytes=2 * size)
    put(spool, *range(5))
    assert keys(spool) == ["k0", "k1"]
    spool.remove(2)
    spool.put(line(9, padding=1000))
    assert keys(spool) == ["k2", "k3"]
    assert keys(spool, after=4) == ["k4"]
    assert keys(spool, after=5) == ["k9"]  # too long for a batch: alone
    spool.close(remove=False)


def test_spool_full_keeps_a_batch_and_drops_the_oldest() -> None:
    size = len(line(0).text)
    spool = opened(remembers=False, queue_bytes=4 * size)
    put(spool, *range(4))
    assert keys(spool, most=2) == ["k0", "k1"]
    assert not spool.put(line(4))
    assert spool.drop_oldest() == 1
    put(spool, 4)
    assert keys(spool) == ["k0", "k1"]
    assert keys(spool, after=2) == ["k3", "k4"]
    assert spool.drop_oldest() == 0  # all are in batches
    spool.close(remove=False)


def test_spool_files_are_private_and_removed(queue_folder: Path) -> None:
    spool = opened()
    put(spool, 0)
    spool.commit()
    assert stat.S_IMODE(queue_folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in queue_folder.iterdir()] == [0o600] * 2
    spool.close(remove=True)
    assert list(queue_folder.iterdir()) == []


def test_spool_second_feed_is_refused() -> None:
    spool = opened()
    with pytest.raises(UserError, match="is running"):
        opened()
    other, _ = open_spool("other", "receiver", remembers=True, settings=DeliverySettings())
    other.close(remove=True)
    spool.close(remove=True)


@pytest.mark.parametrize("damage", ["no database", "middle", "other version"])
def test_spool_damaged_is_moved_aside(damage: str, queue_folder: Path) -> None:
    spool = opened()
    put(spool, *range(500))
    spool.close(remove=False)
    (path,) = queue_folder.iterdir()
    content = bytearray(path.read_bytes())
    if damage == "no database":
        content = bytearray(b"something else" * 100)
    elif damage == "middle":
        content[4096:20480] = bytes(16384)
    else:
        content[60:64] = (99).to_bytes(4)  # user_version
    path.write_bytes(content)
    spool, warning = open_spool("source", "receiver", remembers=True, settings=DeliverySettings())
    assert "begun anew" in warning and "\n" not in warning
    assert path.with_suffix(".damaged").read_bytes() == content
    put(spool, 0)
    assert keys(spool) == ["k0"]
    spool.close(remove=True)


def test_spool_forgotten_queue_is_removed(queue_folder: Path) -> None:
    opened().close(remove=False)
    (path,) = queue_folder.iterdir()
    long_ago_s = time.time() - 31 * 86400
    os.utime(path, (long_ago_s, long_ago_s))
    other, _ = open_spool("other", "receiver", remembers=True, settings=DeliverySettings())
    assert not path.exists()
    other.close(remove=True)


def test_spool_folder_not_writable_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("UNMASK_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(UserError, match="UNMASK_CACHE_DIR"):
        opened()

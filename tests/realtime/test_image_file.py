"""A picture file is read once, and copied where there is nothing to fill."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from realtime.image_file import unmask_image
from realtime.media.picture import Picture
from realtime.media.picture_reader import read_picture
from tests.realtime.making_media import StubUnmasker, moving_images


def _write_picture(path: Path) -> Path:
    Image.fromarray(next(moving_images(1, (60, 40)))).save(path)
    return path


def test_unmask_image_reads_source_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, reads = _write_picture(tmp_path / "in.png"), list[Path]()

    def counting_read(path: Path) -> Picture:
        reads.append(path)
        return read_picture(path)

    monkeypatch.setattr("realtime.image_file.read_picture", counting_read)
    unmask_image(source, tmp_path / "out.png", StubUnmasker())
    assert reads == [source]


def test_image_without_masks_is_a_copy_of_the_input(tmp_path: Path) -> None:
    source = _write_picture(tmp_path / "in.jpg")
    done = unmask_image(source, tmp_path / "out.jpg", StubUnmasker(paints=False))
    assert (tmp_path / "out.jpg").read_bytes() == source.read_bytes()
    assert any("no mask" in warning for warning in done.warnings)

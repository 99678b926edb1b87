"""A picture file is read once, and copied where there is nothing to fill."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from inpaint_model.errors import UserError
from realtime.image_file import unmask_image
from realtime.media.picture import Picture
from realtime.media.picture_reader import read_picture
from tests.realtime.making_media import StubUnmasker, largest_file, moving_images


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


@pytest.mark.parametrize("paints", [True, False])
def test_image_of_a_private_source_is_private(paints: bool, tmp_path: Path) -> None:
    source, target = _write_picture(tmp_path / "in.png"), tmp_path / "out.png"
    source.chmod(0o600)
    unmask_image(source, target, StubUnmasker(paints=paints))
    assert target.stat().st_mode & 0o777 == 0o600


def test_image_on_a_full_disk_leaves_only_the_source(tmp_path: Path) -> None:
    source = _write_picture(tmp_path / "in.png")
    with (
        largest_file(100),
        pytest.raises(UserError, match=r"out\.png: cannot be written \(File too large\)"),
    ):
        unmask_image(source, tmp_path / "out.png", StubUnmasker())
    assert list(tmp_path.iterdir()) == [source]


def test_image_without_masks_is_a_copy_of_the_input(tmp_path: Path) -> None:
    source = _write_picture(tmp_path / "in.jpg")
    done = unmask_image(source, tmp_path / "out.jpg", StubUnmasker(paints=False))
    assert (tmp_path / "out.jpg").read_bytes() == source.read_bytes()
    assert any("no mask" in warning for warning in done.warnings)

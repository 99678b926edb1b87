"""The limits of what is opened, and how they are set."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from inpaint_model.artefacts import find_generator
from inpaint_model.errors import UserError
from inpaint_model.limits import LARGEST_SIDE_PX, VARIABLE, Limits
from tests.reading_documents import read_tables


def test_limits_are_changed_by_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "picture_mb=800  open_s=3")
    assert Limits.of_environment() == Limits(picture_mb=800, open_s=3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("picture=800", "the names are side_px, picture_mb"),
        ("picture_mb=-1", "'picture_mb=-1' is not NAME=NUMBER"),
        ("open_s=0", "is not NAME=NUMBER"),
        (f"side_px={LARGEST_SIDE_PX + 1}", "side_px is 32766 at most"),
    ],
)
def test_limits_that_cannot_be_set_are_refused(
    text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(UserError, match=message):
        Limits.of_environment()


def test_limits_of_the_document_are_those_there_are() -> None:
    document = dict(read_tables(Path(__file__).parents[2] / "docs" / "security.md"))
    numbers = {
        name.strip("`"): int(default.split()[0].replace(",", ""))
        for name, default, _ in document["limit"]
    }
    assert numbers == asdict(Limits())


def test_limits_let_the_largest_files_of_phones_pass() -> None:
    limits = Limits()
    limits.check_picture("photo", 12_000, 9_000, 3)
    limits.check_frame("8K, 8 bits", 7_680, 4_320, 12)
    limits.check_frame("4K, 12 bits, 4:4:4", 3_840, 2_160, 48)


def test_limit_that_is_met_says_what_allows_it() -> None:
    with pytest.raises(UserError, match=r"^x: 20000x10000 .* 600 MB.*UNMASK_LIMITS=picture_mb=600"):
        Limits().check_picture("x", 20_000, 10_000, 3)
    Limits(picture_mb=600).check_picture("x", 20_000, 10_000, 3)
    with pytest.raises(UserError, match=r"^8K: 7680x4320 .* 100 MB.*UNMASK_LIMITS=frame_mb=100"):
        Limits().check_frame("8K", 7_680, 4_320, 24)


def test_sparse_model_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    with path.open("wb") as file:
        file.truncate(12 << 30)
    with pytest.raises(UserError, match=r"12885 MB.*file_mb=12885"):
        find_generator(path).open()

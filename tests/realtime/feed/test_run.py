"""The records of a source: keys, crops, best shots and embeddings, by the real networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from realtime import unmask_faces
from realtime.feed.record import FaceRecord
from realtime.feed.run import embedded
from tests.realtime.making_feed import FRAMES, Check


class MeanColours:
    """A recogniser's stand-in: the mean colour of a crop's halves, of length 1."""

    sha256 = "e" * 64
    size = 6

    def __call__(self, crops_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        halves = [crops_rgb[:, :56].mean((1, 2)), crops_rgb[:, 56:].mean((1, 2))]
        values = np.concatenate(halves, axis=1)
        return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def test_masked_clip_gives_a_record_of_its_face_a_frame(records: list[FaceRecord]) -> None:
    assert [record.frame_index for record in records] == list(range(FRAMES))
    assert {record.track_id for record in records} == {0}
    assert len({record.key for record in records}) == FRAMES
    assert all(record.inpainted and not record.reference for record in records)
    assert all(record.model_sha256 == record.networks["generator"] for record in records)


def test_crops_differ_where_the_mask_was(records: list[FaceRecord]) -> None:
    for record in records:
        before, after = record.crop_before_rgb, record.crop_rgb
        assert before.shape == after.shape == (112, 112, 3)
        changed = np.abs(after.astype(int) - before).max(2) > 8
        assert changed[80:100, 40:72].mean() > 0.9  # the mouth was under the mask
        assert not changed[:45, 30:82].any()  # the eyes and all above them are as they were


def test_second_run_gives_the_same_keys_and_crops(
    masked_clip: Path, records: list[FaceRecord]
) -> None:
    for one, again in zip(records, unmask_faces(masked_clip), strict=True):
        assert one.as_json() == again.as_json()
        assert np.array_equal(one.crop_rgb, again.crop_rgb)


def test_other_options_give_other_keys(masked_clip: Path, records: list[FaceRecord]) -> None:
    (first, *_) = unmask_faces(masked_clip, every_s=0.2)
    assert first.key.split("-")[0] != records[0].key.split("-")[0]
    assert first.key.split("-")[1:] == records[0].key.split("-")[1:]


def test_best_shot_is_the_best_record_of_its_track(
    masked_clip: Path, records: list[FaceRecord], check_line: Check
) -> None:
    (best,) = unmask_faces(masked_clip, best_shot=True)
    assert best.event == check_line(best.as_json())["event"] == "best_shot"
    assert best.quality == max(record.quality for record in records)


def test_only_bare_gives_no_invented_face(picture_folder: Path) -> None:
    shown = list(unmask_faces(picture_folder))
    assert [record.inpainted for record in shown] == [True, False]
    assert np.array_equal(shown[1].crop_rgb, shown[1].crop_before_rgb)
    bare = list(unmask_faces(picture_folder, only_bare=True))
    assert [Path(record.source).name for record in bare] == ["2_bare.png"]


def test_faces_of_two_pictures_have_two_track_ids(picture_folder: Path) -> None:
    best = list(unmask_faces(picture_folder, best_shot=True))
    assert len({record.track_id for record in best}) == len(best) == 2


def test_loop_that_is_left_early_frees_the_source(masked_clip: Path) -> None:
    faces = unmask_faces(masked_clip)
    assert isinstance(faces, Iterator)
    next(faces)
    faces.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert list(faces) == []


def test_embeddings_are_of_both_crops_and_of_the_eyes_alone(
    records: list[FaceRecord], check_line: Check
) -> None:
    recogniser = MeanColours()
    for record in embedded(records[:2], recogniser):
        check_line(record.as_json())
        for name, crop in (("embedding", "crop_rgb"), ("embedding_before", "crop_before_rgb")):
            (expected,) = recogniser(getattr(record, crop)[None])
            assert np.allclose(getattr(record, name), expected)
        assert record.embedding != record.embedding_before
        assert record.embedding_periocular not in (record.embedding, record.embedding_before)


def test_eyes_alone_are_embedded_without_the_fill(records: list[FaceRecord]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    other = replace(records[0], crop_rgb=noise)
    one, another = embedded([records[0], other], MeanColours())
    assert one.embedding_periocular == another.embedding_periocular
    assert one.embedding != another.embedding


@pytest.mark.parametrize("with_references", [False, True])
def test_reference_guided_fill_is_embedded_only_if_asked(
    records: list[FaceRecord], *, with_references: bool, check_line: Check
) -> None:
    guided = replace(records[0], reference=True)
    (record,) = embedded([guided], MeanColours(), with_references=with_references)
    assert (record.embedding is not None) == with_references
    assert record.embedding_before is not None
    check_line(record.as_json())

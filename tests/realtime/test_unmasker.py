"""One frame's way with the shipped models: masked faces are filled, everything else is untouched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from inpaint_model import Inpainter
from realtime import ClosedError, Unmasker, UserError
from realtime.align.warp_crop import warp_crop_rgb
from realtime.frames import Face
from realtime.inpaint.layered_fill import PICTURE_PASSES, STREAM_PASSES
from realtime.synthetic import preset_style, render_mask
from realtime.unmasker import Mode
from trainer.evaluate.measures import iou


@pytest.fixture(scope="module")
def worn(astronaut_rgb, astronaut_face: Face):
    assert astronaut_face.landmarks is not None
    return render_mask(astronaut_rgb, astronaut_face.landmarks, preset_style("surgical"))


@pytest.fixture(scope="module")
def masked_bgr(worn) -> np.ndarray:
    return np.ascontiguousarray(worn.image_rgb[:, :, ::-1])


@pytest.fixture(scope="module")
def unmasker():
    with Unmasker(mode="image") as unmasker:
        yield unmasker


def test_unmasker_finds_and_fills_the_mask(unmasker: Unmasker, masked_bgr, worn, astronaut_rgb):
    result = unmasker(masked_bgr)
    (face,) = result.faces
    assert face.inpainted
    assert 0.05 < face.mask_coverage < 0.5
    found = result.replaced > 0
    assert iou(found[None], worn.alpha[None] > 0)[0] > 0.7
    body = cv2.erode(worn.alpha, np.ones((9, 9), np.uint8)) > 0
    truth = astronaut_rgb[:, :, ::-1].astype(float)
    before = np.abs(masked_bgr[body] - truth[body]).mean()
    after = np.abs(result.frame[body] - truth[body]).mean()
    assert after < 0.5 * before


def test_unmasker_changes_nothing_outside_the_hole(unmasker: Unmasker, masked_bgr):
    given = masked_bgr.copy()
    result = unmasker(masked_bgr)
    assert np.array_equal(masked_bgr, given)
    kept = result.replaced == 0
    assert np.array_equal(result.frame[kept], masked_bgr[kept])
    assert set(np.unique(result.replaced)) == {0, 255}


def test_unmasker_leaves_a_bare_face_untouched(unmasker: Unmasker, astronaut_rgb):
    frame = np.ascontiguousarray(astronaut_rgb[:, :, ::-1])
    result = unmasker(frame)
    (face,) = result.faces
    assert not face.inpainted
    assert np.array_equal(result.frame, frame)
    assert not result.replaced.any()
    assert np.array_equal(face.crop_before, face.crop_after)


def test_face_result_says_where_the_face_is(unmasker: Unmasker, masked_bgr, astronaut_face: Face):
    (face,) = unmasker(masked_bgr).faces
    x0, y0, x1, y1 = face.box
    assert x0 < face.keypoints[:, 0].min() < face.keypoints[:, 0].max() < x1
    assert face.keypoints[:2] == pytest.approx(astronaut_face.keypoints[:2], abs=8)
    assert y0 < face.keypoints[2, 1] < y1
    assert face.crop_before.shape == face.crop_after.shape == (128, 128, 3)
    assert (face.crop_before != face.crop_after).any()


@pytest.mark.parametrize("rows", [170, 512])
def test_crops_are_of_the_given_and_the_finished_frame(unmasker: Unmasker, masked_bgr, rows: int):
    """Also where the picture ends below the mask, in the crop: there both are black."""
    frame = np.ascontiguousarray(masked_bgr[:rows])
    tracked = unmasker.detect_and_track(frame)
    result = unmasker.composite(unmasker.inpaint(unmasker.segment(tracked)))
    (face,) = result.faces
    matrix = tracked.faces[0].matrix
    for crop, image in ((face.crop_before, frame), (face.crop_after, result.frame)):
        shown, inside = warp_crop_rgb(image, matrix)
        edge = cv2.erode(inside.view(np.uint8), np.ones((5, 5), np.uint8), borderValue=1) > 0
        assert np.array_equal(crop[edge], shown[edge])
        assert not crop[cv2.dilate(inside.view(np.uint8), np.ones((5, 5), np.uint8)) == 0].any()
        assert inside.all() == (rows == 512)


def test_unmasker_two_faces_are_filled_up_to_max_faces(masked_bgr):
    pair = np.hstack([masked_bgr, masked_bgr])
    with Unmasker(mode="image") as both, Unmasker(mode="image", max_faces=1) as one:
        result = both(pair)
        assert sum(face.inpainted for face in result.faces) == 2
        assert result.faces_left_out == 0
        result = one(pair)
        assert (len(result.faces), result.faces_left_out) == (1, 1)


def test_unmasker_keeps_track_ids_until_reset(masked_bgr):
    with Unmasker() as unmasker:
        numbers = [unmasker(masked_bgr).faces[0].track_id for _ in range(3)]
        assert numbers == [0, 0, 0]
        unmasker.reset()
        assert unmasker(np.zeros_like(masked_bgr)).faces == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (1000, 1, 3), (17, 400, 3), (480, 641, 3)])
def test_unmasker_takes_any_size_of_frame(unmasker: Unmasker, shape):
    frame = np.full(shape, 80, np.uint8)
    assert np.array_equal(unmasker(frame).frame, frame)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (np.zeros((9, 9), np.uint8), r"not uint8 \[9, 9\]"),
        (np.zeros((9, 9, 4), np.uint8), r"not uint8 \[9, 9, 4\]"),
        (np.zeros((9, 9, 3)), "not float64"),
        (np.zeros((0, 0, 3), np.uint8), r"not uint8 \[0, 0, 3\]"),
        (np.zeros((5, 0, 3), np.uint8), r"not uint8 \[5, 0, 3\]"),
        (np.zeros((1, 32_767, 3), np.uint8), "not 32767x1: a side has at most 32766 pixels"),
        ("photo.jpg", "not str; read the file first"),
        (Path("photo.jpg"), "read the file first"),
        (Image.new("RGB", (9, 9)), "not Image; convert it first"),
        (None, "cv2.imread returns None"),
        ([[[1, 2, 3]]], "not list"),
    ],
)
def test_unmasker_what_is_no_frame_is_refused_in_one_line(unmasker: Unmasker, frame, message):
    with pytest.raises(UserError, match=message) as caught:
        unmasker(frame)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value).startswith("a frame is a NumPy array, uint8 [H, W, 3], BGR, not ")
    assert "\n" not in str(caught.value)


def test_unmasker_takes_views_and_arrays_it_may_not_write(unmasker: Unmasker, masked_bgr, worn):
    wanted = unmasker(masked_bgr)
    view = worn.image_rgb[:, :, ::-1]
    view.flags.writeable = False
    assert np.array_equal(unmasker(view).frame, wanted.frame)
    assert wanted.any_replaced and not unmasker(np.zeros_like(masked_bgr)).any_replaced


def test_unmasker_closed_refuses_every_step(masked_bgr):
    unmasker = Unmasker(mode="image")
    tracked = unmasker.detect_and_track(masked_bgr)
    segmented = unmasker.segment(tracked)
    inpainted = unmasker.inpaint(segmented)
    for _ in range(2):
        unmasker.close()
    for call in (
        lambda: unmasker(masked_bgr),
        lambda: unmasker.detect_and_track(masked_bgr),
        lambda: unmasker.segment(tracked),
        lambda: unmasker.inpaint(segmented),
        lambda: unmasker.composite(inpainted),
    ):
        with pytest.raises(ClosedError, match="is closed; make another one"):
            call()


def test_unmasker_wrong_argument_is_named():
    for wrong in (0, 1.5, "3"):
        with pytest.raises(UserError, match=r"max_faces .* not "):
            Unmasker(max_faces=wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match=r"threads .* not '2'"):
        Unmasker(threads="2")  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="not NoneType"):
        Unmasker(model=None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError):
        Unmasker(engine="abacus")
    with pytest.raises(UserError, match="image, video, live"):
        Unmasker(mode="still")  # pyright: ignore[reportArgumentType]
    with pytest.raises(UserError, match="colour match"):
        Unmasker(without_steps=["make-up"])


def test_program_that_closes_nothing_ends_in_silence(masked_bgr, tmp_path: Path):
    """It does not import torch either, and MediaPipe and the engines print nothing."""
    np.save(tmp_path / "frame.npy", masked_bgr)
    program = (
        "import sys, numpy as np\n"
        "from realtime import Unmasker\n"
        f"frame = np.load({str(tmp_path / 'frame.npy')!r})\n"
        "unmaskers = [Unmasker(mode=mode) for mode in ('image', 'live')]\n"
        "for unmasker in unmaskers:\n"
        "    assert unmasker(frame).faces[0].inpainted\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_stages_that_run_ahead_give_the_same_frames(masked_bgr):
    moved = [
        cv2.warpAffine(masked_bgr, np.array([[1.0, 0, 3.0 * step], [0, 1.0, 0]]), (512, 512))
        for step in range(4)
    ]
    with Unmasker() as whole, Unmasker() as stepped:
        wanted = [whole(frame).frame for frame in moved]
        tracked = [stepped.detect_and_track(frame) for frame in moved]
        segmented = [stepped.segment(each) for each in tracked]
        inpainted = [stepped.inpaint(each) for each in segmented]
        found = [stepped.composite(each).frame for each in inpainted]
    for one, two in zip(wanted, found, strict=True):
        assert np.array_equal(one, two)


def test_unmasker_unconfirmed_detection_is_no_face(unmasker: Unmasker):
    """Textures on which the detector alone, at its low threshold, sees faces."""
    picture = cv2.cvtColor(skimage.data.gravel(), cv2.COLOR_GRAY2BGR)
    for at in range(0, 192, 64):
        view = np.ascontiguousarray(picture[at : at + 320, at : at + 320])
        assert unmasker(view).faces == []


@pytest.mark.parametrize(("mode", "fills"), [("image", PICTURE_PASSES), ("video", STREAM_PASSES)])
def test_image_mode_takes_the_mean_of_more_fills(
    masked_bgr, mode: Mode, fills, monkeypatch: pytest.MonkeyPatch
):
    batches, fill = [], Inpainter.__call__

    def counted(self: Inpainter, crops, holes):
        batches.append(len(crops))
        return fill(self, crops, holes)

    with Unmasker(mode=mode) as unmasker:
        monkeypatch.setattr(Inpainter, "__call__", counted)
        assert unmasker(masked_bgr).faces[0].inpainted
    assert batches == [len(fills)]


def test_reset_makes_a_run_independent_of_the_last(masked_bgr):
    """Also where other frames came before it: which frames are segmented depends on their number."""
    moved = [np.roll(masked_bgr, step, axis=1) for step in range(8)]
    with Unmasker() as unmasker:
        alone = [unmasker(frame).frame for frame in moved]
        unmasker.reset()
        for frame in moved[:3]:
            unmasker(frame)
        unmasker.reset()
        again = [unmasker(frame).frame for frame in moved]
    assert all(np.array_equal(one, two) for one, two in zip(alone, again, strict=True))


def test_arrays_handed_on_are_not_written_again(masked_bgr):
    with Unmasker() as unmasker:
        for step in range(6):
            frame = np.roll(masked_bgr, step, axis=1)
            frame.flags.writeable = False
            tracked = unmasker.detect_and_track(frame)
            for face in tracked.faces:
                for array in (face.matrix, face.face.matrix, face.face.keypoints):
                    array.flags.writeable = False
            segmented = unmasker.segment(tracked)
            for face in segmented.faces:
                for array in (face.crop_rgb, face.valid, face.mask, face.hole, face.matrix):
                    array.flags.writeable = False
            inpainted = unmasker.inpaint(segmented)
            for face in inpainted.faces:
                if face.fill is not None:
                    face.fill.rgb.flags.writeable = False
            assert unmasker.composite(inpainted).faces[0].inpainted

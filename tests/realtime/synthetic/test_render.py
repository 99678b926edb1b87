"""Rendered masks on a real face: exact alpha, stable texture, every kind, pattern and template."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from inpaint_model.errors import UserError
from realtime.align.canonical_head import CANONICAL_HEAD
from realtime.detect.face_finder import FaceFinder
from realtime.synthetic import (
    PATTERNS,
    Kind,
    MaskStyle,
    Template,
    load_templates,
    preset_style,
    random_style,
    render_mask,
    silhouette,
)

_KINDS: tuple[Kind, ...] = ("surgical", "cloth", "n95", "kn95")
_NOSE_TIP, _UPPER_LIP, _CHIN, _FOREHEAD = 1, 13, 175, 151


@pytest.fixture(scope="module")
def face() -> tuple[np.ndarray, np.ndarray]:
    """The astronaut's picture, RGB, and her landmarks."""
    image = np.ascontiguousarray(data.astronaut())
    with FaceFinder() as finder:
        face = finder.portrait(np.ascontiguousarray(image[:, :, ::-1]))
    assert face is not None and face.landmarks is not None
    return image, face.landmarks


@pytest.fixture(scope="module")
def crop(face: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Her face in 128 x 128 pixels, and the landmarks there."""
    image, landmarks = face
    x0, y0 = 150, 30
    region = np.ascontiguousarray(image[y0 : y0 + 160, x0 : x0 + 160])
    small = cv2.resize(region, (128, 128), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return small, (landmarks - [x0, y0] + 0.5) * 0.8 - 0.5


def _covers(alpha: np.ndarray, landmarks: np.ndarray, index: int) -> bool:
    x, y = np.round(landmarks[index]).astype(int)
    return bool(alpha[y, x])


def _drawing(folder: Path, name: str = "mask", keys: bool = True) -> None:
    picture = np.zeros((120, 200, 4), np.uint8)
    cv2.ellipse(picture, (100, 60), (90, 50), 0, 0, 360, (40, 200, 40, 255), -1)
    cv2.rectangle(picture, (85, 45), (115, 75), (0, 0, 230, 255), -1)
    cv2.imwrite(str(folder / f"{name}.png"), picture)
    if keys:
        points = {"a": [22, 35], "b": [100, 10], "c": [178, 35]}
        points |= {"d": [22, 85], "e": [100, 110], "f": [178, 85]}
        (folder / f"{name}.json").write_text(json.dumps({"fit": "surgical", **points}))


@pytest.mark.parametrize("kind", _KINDS)
def test_render_each_kind_covers_nose_to_chin_not_eyes(kind, face):
    image, landmarks = face
    rendered = render_mask(image, landmarks, preset_style(kind))
    assert rendered.image_rgb.shape == image.shape and rendered.image_rgb.dtype == np.uint8
    assert rendered.alpha.shape == image.shape[:2] and rendered.alpha.dtype == np.uint8
    assert set(np.unique(rendered.alpha)) == {0, 255}
    assert all(_covers(rendered.alpha, landmarks, i) for i in (_NOSE_TIP, _UPPER_LIP, _CHIN))
    assert not any(_covers(rendered.alpha, landmarks, i) for i in (_FOREHEAD, 159, 386))


def test_render_changes_only_mask_and_contact_shadow(face):
    image, landmarks = face
    style = replace(preset_style("surgical"), base_rgb=(0.1, 0.9, 0.3))
    rendered = render_mask(image, landmarks, style)
    changed = (rendered.image_rgb != image).any(-1)
    assert changed[rendered.alpha > 0].mean() > 0.995
    scale_px = np.linalg.norm(landmarks[33] - landmarks[263]) / 8.9
    reach = int(np.ceil(1.0 * scale_px)) + 4
    near = cv2.dilate(rendered.alpha, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    assert not changed[~near].any()


def test_render_without_shadow_and_blur_changes_only_the_mask(face):
    image, landmarks = face
    sharp = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    sharp = np.asarray(sharp, dtype=np.uint8)
    sharp = np.clip(sharp + np.random.default_rng(0).normal(0, 12, sharp.shape), 0, 255)
    style = replace(preset_style("surgical"), contact_shadow=0.0)
    image, landmarks = sharp.astype(np.uint8), (landmarks + 0.5) / 2 - 0.5
    rendered = render_mask(image, landmarks, style)
    near = cv2.dilate(rendered.alpha, np.ones((3, 3), np.uint8)) > 0
    assert not (rendered.image_rgb != image).any(-1)[~near].any()


def test_render_leaves_its_input_unchanged(face):
    image, landmarks = face
    before = image.copy()
    render_mask(image, landmarks, preset_style("cloth"))
    assert (image == before).all()


def test_silhouette_random_styles_equals_rendered_alpha(face, crop):
    rng = np.random.default_rng(7)
    for image, landmarks in (face, crop):
        for _ in range(40):
            style = random_style(rng)
            alpha = render_mask(image, landmarks, style).alpha
            assert (alpha == silhouette(landmarks, style, image.shape[:2])).all()


def test_silhouette_random_styles_cover_a_plausible_share(crop):
    _, landmarks = crop
    rng = np.random.default_rng(3)
    shares = [(silhouette(landmarks, random_style(rng), (128, 128)) > 0).mean() for _ in range(200)]
    assert 0.12 < np.median(shares) < 0.35
    assert min(shares) > 0.02 and max(shares) < 0.6


def test_render_same_seed_repeats_and_other_seed_differs(crop):
    image, landmarks = crop
    style = replace(preset_style("cloth"), pattern="blobs", seed=5, pattern_rgb=(0.9, 0.1, 0.1))
    first, second = render_mask(image, landmarks, style), render_mask(image, landmarks, style)
    assert (first.image_rgb == second.image_rgb).all() and (first.alpha == second.alpha).all()
    other = render_mask(image, landmarks, replace(style, seed=6))
    assert (other.alpha == first.alpha).all() and (other.image_rgb != first.image_rgb).any()


def test_random_style_depends_on_the_generator_alone():
    draws = [[random_style(np.random.default_rng(s)) for s in range(30)] for _ in range(2)]
    assert draws[0] == draws[1]
    assert len({style.base_rgb for style in draws[0]}) > 20
    many = [random_style(np.random.default_rng(s)) for s in range(400)]
    assert {style.kind for style in many} == set(_KINDS)
    assert {style.pattern for style in many} == set(PATTERNS)
    shares = [np.mean([s.pulled_down == p for s in many]) for p in ("nose", "mouth")]
    assert 0.07 < shares[0] < 0.18 and 0.02 < shares[1] < 0.11


@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if pattern != "plain"])
def test_render_each_pattern_is_visible(pattern, crop):
    image, landmarks = crop
    plain = replace(preset_style("cloth"), base_rgb=(0.9, 0.9, 0.9), pattern_rgb=(0.1, 0.1, 0.6))
    bare, printed = (
        render_mask(image, landmarks, replace(plain, pattern=p)).image_rgb
        for p in ("plain", pattern)
    )
    difference = np.abs(bare.astype(int) - printed).max(-1)
    assert (difference > 20).mean() > 0.002


@pytest.mark.parametrize("valve", ["side", "centre"])
def test_render_valve_and_print_are_visible(valve, crop):
    image, landmarks = crop
    plain = preset_style("n95")
    fancy = replace(plain, valve=valve, accent_rgb=(0.1, 0.1, 0.1), print_text="N95\nNIOSH")
    difference = np.abs(
        render_mask(image, landmarks, plain).image_rgb.astype(int)
        - render_mask(image, landmarks, fancy).image_rgb
    )
    assert (difference.max(-1) > 30).sum() > 20


def test_render_pulled_down_leaves_nose_or_mouth_bare(face):
    image, landmarks = face
    for kind in _KINDS:
        style = preset_style(kind)
        nose = render_mask(image, landmarks, replace(style, pulled_down="nose")).alpha
        mouth = render_mask(image, landmarks, replace(style, pulled_down="mouth")).alpha
        assert not _covers(nose, landmarks, _NOSE_TIP) and _covers(nose, landmarks, 17)
        assert not _covers(mouth, landmarks, _UPPER_LIP) and _covers(mouth, landmarks, _CHIN)


def test_silhouette_ear_loops_add_a_thin_area(face):
    image, landmarks = face
    style = replace(preset_style("surgical"), strap_cm=0.4)
    drawn = silhouette(landmarks, style, image.shape[:2]) > 0
    hidden = silhouette(landmarks, replace(style, strap_visible=0.0), image.shape[:2]) > 0
    assert (drawn | hidden == drawn).all()
    assert 0 < (drawn & ~hidden).sum() < 0.1 * hidden.sum()


def test_render_texture_moves_with_the_face(face):
    image, landmarks = face
    style = replace(
        preset_style("cloth"),
        pattern="plaid",
        base_rgb=(0.9, 0.9, 0.9),
        pattern_rgb=(0.1, 0.1, 0.5),
    )
    dx, dy = 7, 4
    moved = np.roll(image, (dy, dx), (0, 1))
    first = render_mask(image, landmarks, style)
    second = render_mask(moved, landmarks + np.array([dx, dy]), style)
    back = np.roll(second.image_rgb, (-dy, -dx), (0, 1))
    inside = first.alpha > 0
    assert (np.roll(second.alpha, (-dy, -dx), (0, 1)) == first.alpha).mean() > 0.999
    assert np.abs(back.astype(int) - first.image_rgb)[inside].mean() < 1.0


def test_render_landmark_jitter_changes_little(face):
    image, landmarks = face
    style = replace(preset_style("surgical"), pattern="stripes", pattern_cm=1.5)
    first = render_mask(image, landmarks, style)
    noise = np.random.default_rng(0).normal(0, 0.15, landmarks.shape)
    second = render_mask(image, landmarks + noise, style)
    both = cv2.erode(first.alpha & second.alpha, np.ones((5, 5), np.uint8)) > 0
    difference = np.abs(first.image_rgb.astype(int) - second.image_rgb)[both]
    assert difference.mean() < 4
    assert (first.alpha != second.alpha).mean() < 0.005


def test_render_twice_the_size_gives_the_same_alpha(face):
    image, landmarks = face
    large = np.asarray(cv2.resize(image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
    style = preset_style("kn95")
    small_alpha = render_mask(image, landmarks, style).alpha
    alpha = render_mask(large, (landmarks + 0.5) * 2 - 0.5, style).alpha
    back = cv2.resize(alpha, small_alpha.shape[::-1], interpolation=cv2.INTER_AREA)
    assert ((back >= 128) != (small_alpha > 0)).mean() < 0.002


def test_render_face_at_or_beyond_the_border_is_clipped(face):
    image, landmarks = face
    style = preset_style("surgical")
    for shift in ([-200.0, 0.0], [0.0, 380.0], [260.0, -120.0]):
        rendered = render_mask(image, landmarks + shift, style)
        assert (rendered.alpha == silhouette(landmarks + shift, style, image.shape[:2])).all()
    far = render_mask(image, landmarks + 5000.0, style)
    assert not far.alpha.any() and (far.image_rgb == image).all()


def test_render_grey_picture_gets_a_grey_mask(face):
    image, landmarks = face
    grey = np.ascontiguousarray(
        np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    )
    rendered = render_mask(
        grey, landmarks, replace(preset_style("cloth"), base_rgb=(0.9, 0.1, 0.1))
    )
    assert np.ptp(rendered.image_rgb[rendered.alpha > 0].astype(int), axis=-1).max() <= 2


def test_render_wrong_landmarks_raises(face):
    with pytest.raises(ValueError, match="478"):
        render_mask(face[0], np.zeros((6, 2)), MaskStyle())


def test_templates_loaded_from_a_folder_are_rendered(tmp_path, face):
    image, landmarks = face
    _drawing(tmp_path)
    templates = load_templates(tmp_path)
    assert [(t.name, t.fit) for t in templates] == [("mask", "surgical")]
    style = replace(preset_style("template", templates[0]), base_rgb=(0.25, 0.7, 0.17))
    rendered = render_mask(image, landmarks, style)
    assert (rendered.alpha == silhouette(landmarks, style, image.shape[:2])).all()
    mean = rendered.image_rgb[rendered.alpha > 0].mean(0)
    assert mean[1] > mean[0] and mean[1] > mean[2]
    x, y = np.round(0.5 * (landmarks[_NOSE_TIP] + landmarks[17])).astype(int)
    red, green, _ = rendered.image_rgb[y - 2 : y + 3, x - 2 : x + 3].mean((0, 1))
    assert red > green
    drawn = [random_style(np.random.default_rng(s), templates) for s in range(60)]
    assert 0 < sum(isinstance(style.template, Template) for style in drawn) < 30


def test_load_templates_bad_folder_raises_user_error(tmp_path):
    with pytest.raises(UserError, match="no folder"):
        load_templates(tmp_path / "absent")
    _drawing(tmp_path, "unknown", keys=False)
    with pytest.raises(UserError, match=r"unknown\.json"):
        load_templates(tmp_path)
    (tmp_path / "unknown.json").write_text("{}")
    with pytest.raises(UserError, match="points"):
        load_templates(tmp_path)
    cv2.imwrite(str(tmp_path / "unknown.png"), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(UserError, match="alpha"):
        load_templates(tmp_path)


def test_load_templates_shared_drawings_load():
    folder = Path(__file__).parents[4] / "shared" / "data" / "mask_templates"
    if not folder.is_dir():
        pytest.skip("no shared/data/mask_templates beside the repository")
    templates = load_templates(folder)
    assert len(templates) >= 4
    assert all(template.texture_rgb.std() > 5 for template in templates)


def test_silhouette_gaping_mask_reaches_out_on_the_far_side_of_a_turned_head():
    turn = np.deg2rad(40)
    x, y, z = CANONICAL_HEAD.points_cm.T
    landmarks = np.full((478, 2), 128.0)
    seen = np.stack([np.cos(turn) * x + np.sin(turn) * z, -y], -1)
    landmarks[CANONICAL_HEAD.index] = 128 + 8 * seen
    style = preset_style("surgical")
    close, gaping = (
        silhouette(landmarks, replace(style, fit=replace(style.fit, gape=gape)), (256, 256)) > 0
        for gape in (0.0, 2.0)
    )
    rows = close.any(1) & gaping.any(1)
    far, near = (
        (gaping[rows] & ~close[rows])[:, half].sum() for half in (np.s_[128:], np.s_[:128])
    )
    assert far > 200 > near

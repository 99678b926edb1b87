"""The settings: frozen, explained, and each threshold with a benchmark that exists."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re

import pytest

from benchmarks.commands import COMMANDS
from realtime import settings
from realtime.stages import FrameUnmasker

STAGES = (
    settings.DetectSettings,
    settings.TrackSettings,
    settings.SegmentSettings,
    settings.InpaintSettings,
    settings.CompositeSettings,
    settings.ThreadSettings,
    settings.DeliverySettings,
)


def explanations(stage: type) -> dict[str, str]:
    """The docstring below each field of a dataclass; empty where there is none."""
    (definition,) = ast.parse(inspect.getsource(stage)).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for field, below in zip(definition.body, [*definition.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = getattr(getattr(below, "value", None), "value", "")
            found[field.target.id] = " ".join(text.split()) if isinstance(text, str) else ""
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_settings_each_field_names_its_benchmark(stage: type) -> None:
    assert explanations(stage).keys() == {field.name for field in dataclasses.fields(stage)}
    for name, text in explanations(stage).items():
        source = re.search(r"(?:Benchmarks?: (?P<names>[\w, -]+)|Not measured alone)\.$", text)
        assert source is not None, name
        assert set((source["names"] or "all").split(", ")) <= set(COMMANDS), name


@pytest.mark.parametrize("stage", STAGES)
def test_settings_assignment_is_refused(stage: type) -> None:
    value = stage()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(stage)[0].name, 0)


@pytest.mark.parametrize("threads", [settings.THREADS.live, settings.THREADS.video])
def test_threads_hold_every_step_once_in_order(threads: tuple[tuple[str, ...], ...]) -> None:
    steps = [name for thread in threads for name in thread]
    assert steps == ["detect_and_track", "segment", "inpaint", "composite"]
    assert all(hasattr(FrameUnmasker, step) for step in steps)


@pytest.mark.parametrize("lower", ["coverage", "confidence", "nose_mouth_share", "sure_per_vague"])
def test_mask_measures_one_value_too_low_is_not_enough(lower: str) -> None:
    least = settings.SEGMENT.begin_confirmed
    assert least.reaches(least)
    assert not dataclasses.replace(least, **{lower: getattr(least, lower) - 0.01}).reaches(least)

"""The appearance of a fill: the ordered lists of appearance steps, and which stage takes them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeVar

from inpaint_model.errors import UserError
from realtime.composite.edge_warp import EdgeWarp
from realtime.composite.grain_synthesis import GrainSynthesis
from realtime.composite.refinement import Refinement
from realtime.inpaint.appearance import AppearanceStep, FillStep, FrameStep
from realtime.inpaint.background_matching import BackgroundMatching
from realtime.inpaint.colour_matching import ColourMatching
from realtime.inpaint.temporal_blend import TemporalBlend

S = TypeVar("S", bound=AppearanceStep)

INPAINT_STEPS: tuple[type[FillStep], ...] = (ColourMatching, BackgroundMatching, TemporalBlend)
"""What the inpainting stage does to each fill, in order."""

COMPOSITE_STEPS: tuple[type[FillStep], ...] = (EdgeWarp,)
"""What the compositing stage does to each fill after that, in order."""

FRAME_STEPS: tuple[type[FrameStep], ...] = (Refinement, GrainSynthesis)
"""What the compositing stage then does in every frame, in order."""

STEP_NAMES = tuple(step.name for step in (*INPAINT_STEPS, *COMPOSITE_STEPS, *FRAME_STEPS))
"""All steps in order. `python -m benchmarks appearance` measures the effect of each one."""


def make_steps(kinds: Collection[type[S]], left_out: Collection[str] = ()) -> list[S]:
    """Make the steps of a stage.

    Args:
        kinds: one of the lists above.
        left_out: names of steps to leave out.

    Raises:
        UserError: there is no step of such a name.
    """
    for name in left_out:
        if name not in STEP_NAMES:
            raise UserError(f"no appearance step '{name}': take {', '.join(STEP_NAMES)}")
    return [kind() for kind in kinds if kind.name not in left_out]

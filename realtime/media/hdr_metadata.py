"""HDR10 metadata of a video: the mastering display and the content light level."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import av
import numpy as np

from realtime.media.orientation import side_data

_CHROMATICITY_UNITS, _LUMINANCE_UNITS = 50_000, 10_000  # of SMPTE ST 2086, in 1 and in 1 cd/m2
_PARAMETERS = {  # each encoder's names of the two values
    "libx264": ("mastering-display", "cll"),
    "libx265": ("master-display", "max-cll"),
    "libsvtav1": ("mastering-display", "content-light"),
}


@dataclass(frozen=True)
class HdrMetadata:
    """What HDR10 states about a whole video.

    Attributes:
        chromaticities: x and y of red, green, blue and white; None: the display is unknown.
        luminances: the display's least and greatest, cd/m2.
        light: the greatest and the greatest frame-average light level, cd/m2; None: unknown.
    """

    chromaticities: tuple[Fraction, ...] | None
    luminances: tuple[Fraction, ...]
    light: tuple[int, int] | None

    @classmethod
    def of_frame(cls, frame: av.VideoFrame) -> Self | None:
        """Return the metadata that a decoded frame carries; None if it has none."""
        display = side_data(frame, "MASTERING_DISPLAY_METADATA")
        level = side_data(frame, "CONTENT_LIGHT_LEVEL")
        rationals, light = [], None
        if display is not None:
            # FFmpeg's AVMasteringDisplayMetadata: ten rational numbers and two flags
            numbers = [int(n) for n in np.frombuffer(memoryview(display), "<i4")]
            if numbers[20] and numbers[21]:
                pairs = zip(numbers[0:20:2], numbers[1:20:2], strict=True)
                rationals = [Fraction(top, bottom or 1) for top, bottom in pairs]
        if level is not None:
            greatest, average = np.frombuffer(memoryview(level), "<u4")[:2]
            light = int(greatest), int(average)
        if not rationals and light is None:
            return None
        return cls(tuple(rationals[:8]) or None, tuple(rationals[8:]), light)

    def is_kept_by(self, encoder: str) -> bool:
        """Say whether an encoder, by FFmpeg's name, can write it into its stream."""
        return encoder in _PARAMETERS

    def parameters(self, encoder: str) -> str:
        """Return it as an encoder's own parameters; "" where the encoder does not take it."""
        if not self.is_kept_by(encoder):
            return ""
        display_name, light_name = _PARAMETERS[encoder]
        values = []
        if self.chromaticities is not None:
            values.append(f"{display_name}={self._display(as_decimals=encoder == 'libsvtav1')}")
        if self.light is not None:
            values.append(f"{light_name}={self.light[0]},{self.light[1]}")
        return ":".join(values)

    def _display(self, *, as_decimals: bool) -> str:
        assert self.chromaticities is not None

        def text(value: Fraction, units: int) -> str:
            return f"{float(value):.5f}" if as_decimals else str(round(value * units))

        points = [text(value, _CHROMATICITY_UNITS) for value in self.chromaticities]
        red, green, blue, white = (f"({x},{y})" for x, y in zip(*[iter(points)] * 2, strict=True))
        least, greatest = (text(value, _LUMINANCE_UNITS) for value in self.luminances)
        return f"G{green}B{blue}R{red}WP{white}L({greatest},{least})"

"""How large, how slow and how far away what is opened may be; one value for each run of the program."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import Self

from inpaint_model.errors import UserError

VARIABLE = "UNMASK_LIMITS"
_MB = 1_000_000
LARGEST_SIDE_PX = 32_766
"""OpenCV's functions fail on larger pictures."""


@dataclass(frozen=True)
class Limits:
    """The limits of everything that is opened: pictures, videos, streams and models.

    The defaults let pass the largest files of phones: JPEG files of 108 megapixels, 4K video of every
    depth, and 8K video with 8 bits.

    Attributes:
        side_px: pixels of a picture's or frame's longer side; 32,766 at most.
        picture_mb: megabytes of a picture's decoded pixels.
        frame_mb: megabytes of a decoded video frame, in its own pixel format.
        file_mb: megabytes of a picture file or a model file.
        open_s: seconds for which opening a file or an address may take.
        silent_s: seconds without a packet, after which a stream counts as lost.
        lost_s: seconds after which a stream or camera that is lost is given up.
        redirects: times that an address may name another one in its place.
    """

    side_px: int = LARGEST_SIDE_PX
    picture_mb: int = 330
    frame_mb: int = 55
    file_mb: int = 500
    open_s: int = 10
    silent_s: int = 4
    lost_s: int = 60
    redirects: int = 4

    @classmethod
    def of_environment(cls) -> Self:
        """Return the limits with those changed that the variable `UNMASK_LIMITS` names.

        Raises:
            UserError: it is no list such as "picture_mb=800 side_px=20000".
        """
        values: dict[str, int] = {}
        names = [field.name for field in fields(cls)]
        for word in os.environ.get(VARIABLE, "").split():
            name, _, value = word.partition("=")
            if name not in names or not value.isdecimal() or int(value) < 1:
                raise UserError(
                    f"{VARIABLE}: {word!r} is not NAME=NUMBER; the names are {', '.join(names)}"
                )
            values[name] = int(value)
        if values.get("side_px", 0) > LARGEST_SIDE_PX:
            raise UserError(f"{VARIABLE}: side_px is {LARGEST_SIDE_PX} at most")
        return cls(**values)

    def check_picture(self, name: object, width: int, height: int, pixel_bytes: int) -> None:
        """Refuse a picture that is too large to decode.

        Args:
            name: of the file, for the message.
            width, height: pixels.
            pixel_bytes: bytes of a decoded pixel.

        Raises:
            UserError: a side or the decoded picture is over its limit.
        """
        self._check_pixels(name, width, height, width * height * pixel_bytes, "picture_mb")

    def check_frame(self, name: object, width: int, height: int, bits: int) -> None:
        """Refuse a video frame that is too large to decode; as `check_picture`, with bits of a pixel."""
        self._check_pixels(name, width, height, width * height * bits // 8, "frame_mb")

    def _check_pixels(
        self, name: object, width: int, height: int, decoded_bytes: int, limit: str
    ) -> None:
        if max(width, height) > self.side_px:
            line = (
                f"{name}: {width}x{height} is too large: a side has at most {self.side_px} pixels"
            )
            raise UserError(line)
        self._check_bytes(f"{name}: {width}x{height}", decoded_bytes, limit, "decoded, ")

    def check_file(self, name: object, size_bytes: int) -> None:
        """Refuse a file that is too large to be read whole.

        Raises:
            UserError: it is over the limit.
        """
        self._check_bytes(f"{name}", size_bytes, "file_mb")

    def _check_bytes(self, what: str, size_bytes: int, limit: str, how: str = "") -> None:
        if size_bytes > getattr(self, limit) * _MB:
            needed = -(-size_bytes // _MB)
            raise UserError(
                f"{what} is too large: {how}{needed} MB, more than {getattr(self, limit)} "
                f"({VARIABLE}={limit}={needed} allows it)"
            )

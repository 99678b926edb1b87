"""The face aligner: whether a small square shows a face, masked or bare, and how it lies there (torch).

Its relatives are the networks that refine the proposals of face detectors: the output network of MTCNN
(Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks")
and the stages that turn a face upright in PCN (Shi et al. 2018, "Real-Time Rotation-Invariant Face
Detection with Progressive Calibration Networks"). This one gives any rotation at once.
"""

from __future__ import annotations

from torch import Tensor, nn

from inpaint_model.networks.layers import ConvUnit

SIDE_PX = 64
"""Side of the square that the network sees, pixels."""

UNIT_PX = 48.0
"""Length of the direction that the network gives, pixels of the canonical crop."""

_LEAST_PX = SIDE_PX // 16  # side of the last feature map
_HIDDEN = 128  # features between the feature map and the six values


class FaceAlignerNet(nn.Module):
    """Convolutions down to 4x4 pixels, then two dense layers.

    Args:
        widths: channels at 32, 16, 8 and 4 pixels.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        w32, w16, w8, w4 = widths
        self.body = nn.Sequential(
            ConvUnit(3, w32, 5, 2),
            ConvUnit(w32, w16, 3, 2),
            ConvUnit(w16, w16),
            ConvUnit(w16, w8, 3, 2),
            ConvUnit(w8, w8),
            ConvUnit(w8, w8),
            ConvUnit(w8, w4, 3, 2),
            ConvUnit(w4, w4),
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(w4 * _LEAST_PX**2, _HIDDEN),
            nn.ReLU(inplace=True),
            nn.Dropout(0.1),
            nn.Linear(_HIDDEN, 6),
        )

    def forward(self, squares: Tensor) -> Tensor:
        """Align what is in squares.

        Args:
            squares: float [N, 64, 64, 3], RGB, 0..255.

        Returns:
            float [N, 6]: the logits of "a face" and of "it wears a mask"; x and y of the centre of the
            face's canonical crop; and the direction (across, down) of 48 px along a row of that crop. The
            unit is the square's side, and x and y are 0 at its middle, pixel 32. The last five count
            where there is a face.
        """
        pictures = squares.permute(0, 3, 1, 2) / 127.5 - 1
        return self.head(self.body(pictures))

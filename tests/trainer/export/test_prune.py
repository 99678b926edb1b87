"""Pruning merges redundant channels, and the narrow network fills as the wide one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from inpaint_model.errors import UserError
from inpaint_model.networks.layers import ConvUnit, UpUnit
from inpaint_model.networks.paper import PaperGenerator
from tests.trainer.networks import randomise_batch_norms, widened
from trainer.augment.holes import draw_protocol
from trainer.data.face_set import FaceSet
from trainer.evaluate.fill_crops import fill
from trainer.export.batch_norm_folding import folded, unfold_into
from trainer.export.channel_merging import merge_channels
from trainer.export.prune import prune_generator, prune_to_width
from trainer.export.refit import Refit


def permuted(net: PaperGenerator) -> PaperGenerator:
    """Shuffle the first layer's channels, so that copies are not neighbours."""
    for autoencoder in net.autoencoders:
        first, second = autoencoder[0], autoencoder[1]  # type: ignore[index]
        order = torch.randperm(net.width)
        weight, bias = folded(first)
        unfold_into(first, weight[order], bias[order])
        weight, bias = folded(second)
        unfold_into(second, weight[:, order], bias)
    return net


@pytest.fixture(scope="module")
def doubled() -> PaperGenerator:
    torch.manual_seed(4)
    net = randomise_batch_norms(PaperGenerator(2, 4, balance=True))
    assert isinstance(net, PaperGenerator)
    return permuted(widened(net).eval())


def test_prune_to_width_of_doubled_network_is_exact(doubled: PaperGenerator, faces: FaceSet):
    holes, _ = draw_protocol(faces, "face-mask")
    small = prune_to_width(doubled, 4, faces.crops[:3], holes[:3])
    assert small.width == 4 and small.balance
    full, narrow = (fill(net, faces.crops[6:12], holes[6:12]) for net in (doubled, small))
    assert full[holes[6:12]].std() > 5
    assert np.abs(full.astype(int) - narrow).max() <= 2


def test_prune_generator_takes_narrowest_within_cost(doubled: PaperGenerator, faces: FaceSet):
    holes, _ = draw_protocol(faces, "face-mask")
    crops, holes = faces.crops[:3], holes[:3]
    cheap = prune_generator(doubled, crops, holes, max_cost_db=100)
    assert cheap is not None and cheap.width == 2
    assert prune_generator(doubled, crops, holes, max_cost_db=-100) is None


@pytest.mark.parametrize("width", [0, 3, 8, 16])
def test_prune_to_width_refuses_wrong_width(doubled: PaperGenerator, faces: FaceSet, width: int):
    with pytest.raises(UserError, match="below the network's 8"):
        prune_to_width(doubled, width, faces.crops[:1], np.ones((1, 128, 128), bool))


def test_merge_channels_merges_proportional_ones():
    torch.manual_seed(0)
    values = torch.rand(5, 1000)
    order = torch.tensor([3, 0, 4, 1, 2, 0, 3])
    scales = torch.tensor([1.0, 2.0, 1.0, 1.0, 1.0, 0.5, 3.0])
    channels = values[order] * scales[:, None]
    mixtures = merge_channels(channels @ channels.T, 5)
    groups = {tuple(row.nonzero().flatten().tolist()) for row in mixtures}
    assert groups == {(0, 6), (1, 5), (2,), (3,), (4,)}
    assert torch.allclose(mixtures.norm(dim=1), torch.ones(5, dtype=torch.float64))
    assert (mixtures >= 0).all()


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(3, 5, 5, padding=2),
        nn.Conv2d(3, 5, 3, 2, 1),
        nn.Conv2d(3, 5, 3, 1, 4, 4),
        nn.ConvTranspose2d(3, 5, 4, 2, 1),
    ],
    ids=["5x5", "strided", "dilated", "transposed"],
)
def test_refit_recovers_the_weights(conv: nn.Conv2d | nn.ConvTranspose2d):
    torch.manual_seed(1)
    refit = Refit(conv)
    with torch.no_grad():
        given = torch.rand(4, 3, 32, 32)
        refit.add(given, conv(given))
        assert conv.bias is not None
        wrong = torch.zeros_like(conv.weight), torch.zeros_like(conv.bias)
        weight, bias = refit.solve(*wrong)
        assert (weight - conv.weight).norm() < 0.1 * conv.weight.norm()
        kept, _ = refit.solve(conv.weight, conv.bias)
        assert torch.allclose(kept, conv.weight, atol=1e-5)
        assert (bias - conv.bias).abs().max() < 0.1


@pytest.mark.parametrize("kind", ["convolution", "transposed"])
def test_folded_unit_computes_the_same(kind: str):
    torch.manual_seed(2)
    unit, other = (
        randomise_batch_norms(ConvUnit(3, 4) if kind == "convolution" else UpUnit(3, 4))
        for _ in range(2)
    )
    weight, bias = folded(unit)
    unfold_into(other, weight, bias)
    x = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        assert torch.allclose(unit(x), other(x), atol=1e-5)

"""The paper's generator and discriminator: the figures it prints, and what goes where."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from inpaint_model.networks.discriminator import GlobalLocalDiscriminator, hole_patches
from inpaint_model.networks.layers import flops
from inpaint_model.networks.paper import Autoencoder, PaperGenerator

# Table 1: kernel, dilation and filters of every layer, top to bottom.
TABLE_1 = [
    (5, 1, 64),
    (3, 1, 64),
    (3, 1, 128),
    (3, 1, 128),
    (3, 1, 256),
    (3, 1, 256),
    (3, 1, 256),
    (3, 2, 256),
    (3, 4, 256),
    (3, 8, 256),
    (3, 16, 256),
    (3, 1, 256),
    (3, 1, 256),
    (4, 1, 128),
    (3, 1, 128),
    (4, 1, 64),
    (3, 1, 32),
    (3, 1, 3),
]


def convolutions(net: nn.Module) -> list[nn.Conv2d | nn.ConvTranspose2d]:
    return [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]


def hole(rows: slice, columns: slice) -> torch.Tensor:
    holes = torch.zeros(1, 1, 128, 128)
    holes[..., rows, columns] = 1
    return holes


def test_an_autoencoder_is_table_1():
    layers = convolutions(Autoencoder())
    assert [(c.kernel_size[0], c.dilation[0], c.out_channels) for c in layers] == TABLE_1
    assert sum(isinstance(c, nn.ConvTranspose2d) for c in layers) == 2
    assert sum(c.dilation[0] > 1 for c in layers) == 4


def test_the_discriminators_channels_double_up_to_eight_times():
    net = GlobalLocalDiscriminator(2)
    assert [c.out_channels for c in convolutions(net.whole)] == [2, 4, 8, 16, 16]
    assert [c.out_channels for c in convolutions(net.local)] == [2, 4, 8, 16]


def test_the_chain_has_the_papers_layers_and_parameters():
    net = PaperGenerator()
    layers = convolutions(net)
    dilated = sum(c.dilation[0] > 1 for c in layers)
    deconvolutions = sum(isinstance(c, nn.ConvTranspose2d) for c in layers)
    assert (len(layers) - dilated - deconvolutions, dilated, deconvolutions) == (24, 8, 4)
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(12.2e6, rel=0.005)
    assert flops(net) == pytest.approx(35, rel=0.01)


def test_the_second_autoencoder_is_given_the_firsts_composite():
    net = PaperGenerator(width=4).eval()
    given: list[torch.Tensor] = []
    net.autoencoders[1].register_forward_hook(lambda _, inputs, __: given.append(inputs[0]))
    crops, holes = torch.rand(1, 3, 128, 128) * 2 - 1, hole(slice(50, 90), slice(40, 80))
    with torch.no_grad():
        first, second = net(crops, holes, every=True)
        assert torch.equal(net(crops, holes), second)
    composite = crops * (1 - holes) + first * holes
    assert torch.allclose(given[0][:, :3], composite, atol=1e-6)
    assert torch.equal(given[0][:, 3:], holes)


@pytest.mark.parametrize("balance", [False, True])
def test_what_lies_in_the_hole_changes_nothing(balance: bool):
    net = PaperGenerator(width=4, balance=balance).eval()
    crops, holes = torch.rand(1, 3, 128, 128) * 2 - 1, hole(slice(30, 90), slice(20, 100))
    other = torch.where(holes > 0, torch.rand_like(crops), crops)
    with torch.no_grad():
        assert torch.allclose(net(crops, holes), net(other, holes), atol=1e-6)


def test_balance_takes_a_cast_out_and_puts_it_back():
    torch.manual_seed(0)
    net = PaperGenerator(width=4, balance=True).eval()
    skin = torch.tensor([0.62, 0.45, 0.36]).view(1, 3, 1, 1)
    plain, holes = (
        skin * (1.4 + 0.4 * torch.rand(1, 1, 128, 128)) - 1,
        hole(slice(70, 110), slice(30, 98)),
    )
    blue = (plain + 1) * torch.tensor([0.8, 0.9, 1.1]).view(1, 3, 1, 1) - 1
    given: list[torch.Tensor] = []
    net.autoencoders[0].register_forward_hook(lambda _, inputs, __: given.append(inputs[0]))
    with torch.no_grad():
        pictures = [net(crops, holes) for crops in (plain, blue)]
    apart = [(crops[:, :3] + 1).mean((2, 3)) for crops in given]
    assert (apart[0] / apart[1] - 1).abs().max() < 0.12 < (1 / 0.8 - 1)
    assert (pictures[1][:, 0] + 1).mean() < (pictures[0][:, 0] + 1).mean()


def test_the_discriminator_sees_the_hole_wherever_it_lies():
    crops = torch.rand(3, 3, 128, 128)
    holes = torch.cat(
        [
            hole(slice(0, 24), slice(100, 128)),
            hole(slice(40, 88), slice(40, 88)),
            torch.zeros(1, 1, 128, 128),
        ]
    )
    patches = hole_patches(crops, holes)
    assert torch.equal(patches[0], crops[0, :, 0:64, 64:128])
    assert torch.equal(patches[1], crops[1, :, 32:96, 32:96])
    assert torch.equal(patches[2], crops[2, :, 32:96, 32:96])


def test_discriminator_has_five_global_and_four_local_layers():
    net = GlobalLocalDiscriminator(width=8)
    for branch, count in ((net.whole, 5), (net.local, 4)):
        found = convolutions(branch)
        assert [(c.kernel_size, c.stride) for c in found] == [((5, 5), (2, 2))] * count
    logits = net(torch.rand(2, 3, 128, 128), hole(slice(0, 30), slice(0, 30)).repeat(2, 1, 1, 1))
    assert logits.shape == (2,)


def test_the_local_network_judges_only_the_patch():
    net = GlobalLocalDiscriminator(width=4).eval()
    holes = hole(slice(96, 128), slice(96, 128))
    crops = torch.rand(1, 3, 128, 128)
    changed = crops.clone()
    changed[..., :32, :32] += 0.5
    with torch.no_grad():
        assert torch.equal(
            net.local(hole_patches(crops, holes)), net.local(hole_patches(changed, holes))
        )
        assert not torch.equal(net(crops, holes), net(changed, holes))

"""Weights before training."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from depthboard.config import NetworkConfig
from depthboard.config.training import Encoder
from worker.losses import LOSSES
from worker.networks import NETWORKS, D3Net, initialise, prepare_network

SMALL: list[Encoder] = ["densenet_small", "resnet_small"]


def convolutions(network: D3Net) -> list[nn.Conv2d | nn.ConvTranspose2d]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]


def norms(network: D3Net) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


@pytest.mark.parametrize("encoder", ["densenet121", "resnet50"])
def test_the_papers_networks_begin_with_a_spread_of_0_02(encoder: Encoder) -> None:
    network, rule, report = prepare_network(NetworkConfig(encoder=encoder), seed=0)
    assert (rule, report) == ("normal", None)
    weights = torch.cat([layer.weight.detach().flatten() for layer in convolutions(network)])
    scales = torch.cat([layer.weight.detach() for layer in norms(network)])
    assert weights.std().item() == pytest.approx(0.02, rel=1e-2)
    assert weights.mean().item() == pytest.approx(0, abs=1e-4)
    assert scales.std().item() == pytest.approx(0.02, rel=5e-2)
    assert scales.mean().item() == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("encoder", SMALL)
def test_the_small_networks_begin_with_a_spread_that_follows_their_width(encoder: Encoder) -> None:
    network, rule, report = prepare_network(NetworkConfig(encoder=encoder), seed=0)
    assert (rule, report) == ("kaiming", None)
    for layer in convolutions(network):
        if layer.weight.numel() < 5000:
            continue
        inputs = layer.in_channels * layer.kernel_size[0] * layer.kernel_size[1]
        if isinstance(layer, nn.ConvTranspose2d):
            inputs //= 4  # stride 2: an output pixel meets a quarter of the 4×4 kernel
        assert layer.weight.std().item() == pytest.approx((2 / inputs) ** 0.5, rel=0.05)
    assert all((layer.weight == 1).all() for layer in norms(network))


@pytest.mark.parametrize("encoder", SMALL)
def test_biases_begin_at_zero_and_running_statistics_at_those_of_a_normal_variable(encoder: Encoder) -> None:
    network = NETWORKS[encoder](NetworkConfig(encoder=encoder))
    network(torch.rand(2, 3, 32, 32))
    initialise(network, 0, "normal")
    assert all(layer.bias is None or not layer.bias.any() for layer in convolutions(network))
    assert all(
        not norm.bias.any() and not norm.running_mean.any() and (norm.running_var == 1).all() for norm in norms(network)
    )


@pytest.mark.parametrize("encoder", SMALL)
def test_the_layout_in_memory_does_not_change_which_weight_gets_which_number(encoder: Encoder) -> None:
    first, last = (NETWORKS[encoder](NetworkConfig(encoder=encoder)) for _ in range(2))
    last.to(memory_format=torch.channels_last)
    for network in (first, last):
        initialise(network, 5, "kaiming")
    assert all(torch.equal(one, other) for one, other in zip(first.parameters(), last.parameters(), strict=True))


@pytest.mark.parametrize("encoder", SMALL)
def test_a_small_network_learns_a_far_square_on_a_near_ground_in_forty_steps(encoder: Encoder) -> None:
    """8 m on 2 m: beyond the 5 m at which tanh is 0, where a last layer of negative weights alone could not go."""
    network = prepare_network(NetworkConfig(encoder=encoder), seed=0).network
    image = torch.rand((4, 3, 32, 64), generator=torch.Generator().manual_seed(0)) - 1
    target = torch.full((4, 1, 32, 64), 2.0)
    image[:, :, 8:24, 40:56] += 1
    target[:, :, 8:24, 40:56] = 8.0
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3, betas=(0.5, 0.999))
    for _ in range(40):
        loss = LOSSES["l1"](network(image), target, target > 0, unit="metre")
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    depth = network.eval()(image).detach()
    assert depth[:, :, 12:20, 44:52].mean().item() == pytest.approx(8, abs=1.5)
    assert depth[:, :, :, :32].mean().item() == pytest.approx(2, abs=1)

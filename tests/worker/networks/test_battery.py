"""What every network promises, over `NETWORKS`."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from depthboard.config import NetworkConfig
from depthboard.config.training import Encoder
from depthboard.errors import InvalidInput
from worker.networks import NETWORKS, D3Net, prepare_network


@pytest.fixture(scope="module", params=list(NETWORKS))
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return request.param


@pytest.fixture(scope="module")
def network(encoder: Encoder) -> D3Net:
    return prepare_network(NetworkConfig(encoder=encoder), seed=3).network


def images(rows: int = 32, columns: int = 64, count: int = 2) -> torch.Tensor:
    return 2 * torch.rand((count, 3, rows, columns), generator=torch.Generator().manual_seed(0)) - 1


def test_the_registry_holds_the_encoders_of_the_configuration() -> None:
    assert tuple(NETWORKS) == get_args(Encoder)


def test_it_gives_one_depth_between_0_and_10_metres_for_each_pixel(network: D3Net) -> None:
    depth = network(images())
    assert depth.shape == (2, 1, 32, 64)
    assert depth.dtype == torch.float32
    assert depth.min() > 0
    assert depth.max() < 10


@pytest.mark.parametrize("size", [(32, 32), (96, 32)])
def test_any_sides_that_are_multiples_of_32_will_do(network: D3Net, size: tuple[int, int]) -> None:
    network.eval()
    with torch.no_grad():
        assert network(images(*size, count=1)).shape == (1, 1, *size)
    network.train()


def test_a_backward_pass_gives_every_parameter_a_finite_gradient(network: D3Net) -> None:
    network.zero_grad()
    network(images()).mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    assert network.last.weight.grad.abs().sum() > 0
    assert next(network.encoder.parameters()).grad.abs().sum() > 0


def test_the_output_is_float32_under_autocast() -> None:
    network = prepare_network(NetworkConfig(encoder="densenet_small"), seed=0).network.eval()
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(images(32, 32, count=1)).dtype == torch.float32


@pytest.mark.parametrize(
    ("size", "message", "field", "remedy"),
    [
        ((64, 80), "so the width 80 cannot be used", "data.width", "Use data.width 96."),
        ((90, 64), "so the height 90 cannot be used", "data.height", "Use data.height 96."),
        (
            (9, 100),
            "so the height 9 and the width 100 cannot be used",
            "data.height",
            "Use data.height 32, data.width 96.",
        ),
    ],
)
def test_sides_that_are_no_multiples_of_32_are_refused_by_name(
    network: D3Net, size: tuple[int, int], message: str, field: str, remedy: str
) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        network(images(*size))
    assert caught.value.field == field
    assert caught.value.remedy == remedy


@pytest.mark.parametrize("encoder", ["densenet121", "densenet_small", "resnet_small"])
def test_the_same_seed_gives_the_same_weights_whatever_was_drawn_before(encoder: Encoder) -> None:
    one = prepare_network(NetworkConfig(encoder=encoder), seed=3).network
    torch.rand(5)
    other = prepare_network(NetworkConfig(encoder=encoder), seed=3).network
    for (name, first), second in zip(one.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(first, second), name


@pytest.mark.parametrize("encoder", ["densenet_small", "resnet_small"])
def test_another_seed_gives_other_weights(encoder: Encoder) -> None:
    one, other = (prepare_network(NetworkConfig(encoder=encoder), seed=seed).network for seed in (3, 4))
    assert not torch.equal(one.last.weight, other.last.weight)


@pytest.mark.parametrize("encoder", ["resnet50", "resnet_small"])
def test_dropout_is_refused_where_the_network_has_none(encoder: Encoder) -> None:
    with pytest.raises(InvalidInput, match="has no dropout") as caught:
        prepare_network(NetworkConfig(encoder=encoder, dropout=0.5), seed=0)
    assert caught.value.field == "network.dropout"


@pytest.mark.parametrize("encoder", ["densenet121", "densenet_small"])
def test_dropout_acts_twice_in_each_of_the_two_deepest_up_blocks_and_adds_no_parameter(encoder: Encoder) -> None:
    with_dropout = NETWORKS[encoder](NetworkConfig(encoder=encoder, dropout=0.5))
    counts = [sum(isinstance(layer, torch.nn.Dropout) for layer in block) for block in with_dropout.up]
    assert counts == [2, 2, 0, 0, 0]
    assert all(layer.p == 0.5 for layer in with_dropout.up[0] if isinstance(layer, torch.nn.Dropout))
    without = NETWORKS[encoder](NetworkConfig(encoder=encoder))
    assert sum(p.numel() for p in with_dropout.parameters()) == sum(p.numel() for p in without.parameters())


def test_gradients_keep_the_channels_last_layout_of_the_weights() -> None:
    """Mixed layouts cost a small network a third of its speed on a CPU; see `d3net._keep_layout`."""
    network = prepare_network(NetworkConfig(encoder="densenet_small"), seed=0).network
    layouts = []

    def note(_module: torch.nn.Module, _given: object, out: torch.Tensor) -> None:
        out.register_hook(lambda gradient: layouts.append(gradient.is_contiguous(memory_format=torch.channels_last)))

    for block in network.up:
        block[0].register_forward_hook(note)
    network(images()).mean().backward()
    assert layouts == [True] * 5

"""The paper's two networks, layer by layer, against the table taken from the authors' code."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from depthboard.config import NetworkConfig
from worker.networks import NETWORKS, D3Net
from worker.networks.convolution import Conv2d, ConvTranspose2d

D3_MAPS = [(64, 128, 160), (128, 64, 80), (256, 32, 40), (512, 16, 20), (1024, 8, 10)]
D3_UP = [(512, 16, 20), (256, 32, 40), (128, 64, 80), (64, 128, 160), (64, 256, 320)]
RESNET_MAPS = [(64, 128, 160), (256, 64, 80), (512, 32, 40), (1024, 16, 20), (2048, 8, 10)]
RESNET_UP = [(1024, 16, 20), (512, 32, 40), (256, 64, 80), (64, 128, 160), (64, 256, 320)]


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(scope="module")
def d3net() -> D3Net:
    return NETWORKS["densenet121"](NetworkConfig(encoder="densenet121"))


@pytest.fixture(scope="module")
def resnet() -> D3Net:
    return NETWORKS["resnet50"](NetworkConfig(encoder="resnet50"))


def shapes(network: D3Net) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    """(C,H,W) of the encoder's maps and of the up blocks' outputs for a 256×320 input."""
    ups: list[tuple[int, ...]] = []
    maps: list[tuple[int, ...]] = []
    handles = [network.encoder.register_forward_hook(lambda _m, _i, out: maps.extend(tuple(x.shape[1:]) for x in out))]
    handles += [
        block.register_forward_hook(lambda _m, _i, out: ups.append(tuple(out.shape[1:]))) for block in network.up
    ]
    network.eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 256, 320)).shape == (1, 1, 256, 320)
    for handle in handles:
        handle.remove()
    return maps, ups


def test_d3_net_has_24_220_224_parameters(d3net: D3Net) -> None:
    assert parameters(d3net) == 24_220_224


def test_d3_net_s_parameters_by_part(d3net: D3Net) -> None:
    assert parameters(d3net.encoder) == 6_953_856 + 65_664
    assert [parameters(block) for block in d3net.up] == [10_750_464, 4_785_408, 1_196_672, 299_328, 168_256]
    assert parameters(d3net.last) == 576


def test_d3_net_s_maps_at_256_by_320(d3net: D3Net) -> None:
    assert shapes(d3net) == (D3_MAPS, D3_UP)


def test_the_resnet_50_variant_has_91_225_280_parameters(resnet: D3Net) -> None:
    assert parameters(resnet) == 91_225_280


def test_the_resnet_50_variant_s_maps_at_256_by_320(resnet: D3Net) -> None:
    assert shapes(resnet) == (RESNET_MAPS, RESNET_UP)


def test_an_up_block_is_transposed_convolution_and_convolution_each_with_normalisation_dropout_and_relu() -> None:
    block = NETWORKS["densenet_small"](NetworkConfig(dropout=0.3)).up[0]
    half = [nn.BatchNorm2d, nn.Dropout, nn.ReLU]
    assert [type(layer) for layer in block] == [ConvTranspose2d, *half, Conv2d, *half]
    up, conv = block[0], block[4]
    assert (up.kernel_size, up.stride, up.padding, up.bias is None) == ((4, 4), (2, 2), (1, 1), False)
    assert (conv.kernel_size, conv.padding, conv.bias is None) == ((3, 3), (1, 1), True)


def test_the_encoder_s_map_comes_before_the_decoder_s_in_a_skip_connection() -> None:
    network = NETWORKS["densenet_small"](NetworkConfig()).eval()
    seen: dict[str, torch.Tensor] = {}
    network.encoder.register_forward_hook(lambda _m, _i, out: seen.update(skip=out[3]))
    network.up[0].register_forward_hook(lambda _m, _i, out: seen.update(decoder=out))
    network.up[1].register_forward_hook(lambda _m, given, _o: seen.update(joined=given[0]))
    with torch.no_grad():
        network(torch.rand(1, 3, 64, 96))
    assert torch.equal(seen["joined"], torch.cat([seen["skip"], seen["decoder"]], dim=1))


@pytest.mark.parametrize("encoder", ["densenet_small", "resnet_small"])
def test_a_small_network_has_about_0_7_million_parameters(encoder: str) -> None:
    assert 0.55e6 < parameters(NETWORKS[encoder](NetworkConfig(encoder=encoder))) < 0.85e6

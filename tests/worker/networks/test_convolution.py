"""The convolutions of a CPU: what they give back against torch's own, in float64 where the route allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from worker.networks import convolution
from worker.networks.convolution import Conv2d, ConvTranspose2d


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Maps of any size count as large, on a processor with wide vectors or without."""

    def made(wide: bool) -> None:
        monkeypatch.setattr(convolution, "LARGE", 0)
        monkeypatch.setattr(convolution, "has_wide_vectors", lambda: wide)

    return made


CASES: list[tuple[type[nn.Module], type[nn.Module], dict[str, Any]]] = [
    (Conv2d, nn.Conv2d, {"kernel_size": 3, "padding": 1, "bias": False}),
    (Conv2d, nn.Conv2d, {"kernel_size": 3, "padding": 1, "bias": True}),
    (Conv2d, nn.Conv2d, {"kernel_size": 4, "stride": 2, "padding": 1, "bias": False}),
    (ConvTranspose2d, nn.ConvTranspose2d, {"kernel_size": 4, "stride": 2, "padding": 1}),
]


@pytest.mark.parametrize(("ours", "theirs", "settings"), CASES)
@pytest.mark.parametrize("size", [(2, 10, 14), (3, 8, 6), (1, 32, 32)])
@pytest.mark.parametrize("wide", [False, True])
def test_its_output_and_gradients_are_torchs(
    processor: Callable[[bool], None],
    ours: Any,
    theirs: Any,
    settings: dict[str, Any],
    size: tuple[int, int, int],
    wide: bool,
) -> None:
    processor(wide)
    images, height, width = size
    torch.manual_seed(0)
    mine, known = ours(5, 6, **settings), theirs(5, 6, **settings)
    known.load_state_dict(mine.state_dict())
    assert convolution._pays(mine, torch.empty(1, 5, 8, 8)) == (not wide or theirs is nn.ConvTranspose2d)
    found = []
    for layer, dtype in ((mine.to(memory_format=torch.channels_last), torch.float32), (known.double(), torch.float64)):
        x = torch.randn(images, 5, height, width, generator=torch.Generator().manual_seed(1)).to(dtype).requires_grad_()
        out = layer(x.contiguous(memory_format=torch.channels_last))
        weight = torch.randn(out.shape, generator=torch.Generator().manual_seed(2)).to(dtype)
        (out * weight).sum().backward()
        found.append([out, x.grad, *(p.grad for p in layer.parameters())])
    for single, double in zip(*found, strict=True):
        assert torch.allclose(single.double(), double, rtol=1e-4, atol=1e-4 * double.abs().max().item())
    assert mine.weight.grad.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("wide", [False, True])
def test_a_transposed_layer_in_bfloat16_has_torchs_gradients(processor: Callable[[bool], None], wide: bool) -> None:
    processor(wide)
    torch.manual_seed(0)
    mine, known = ConvTranspose2d(16, 8, 4, stride=2, padding=1), nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1)
    known.load_state_dict(mine.state_dict())
    found = []
    for layer in (mine, known):
        x = torch.randn(2, 16, 12, 10, generator=torch.Generator().manual_seed(1)).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            assert convolution._pays(mine, x)
            out = layer(x)
        assert out.dtype == torch.bfloat16
        out.float().square().sum().backward()
        found.append([x.grad, layer.weight.grad, layer.bias.grad])
    for single, double in zip(*found, strict=True):
        assert single.dtype == torch.float32
        assert torch.allclose(single, double, rtol=0.02, atol=0.02 * double.abs().max().item())


def test_small_maps_evaluation_half_precision_and_wide_vectors_go_torchs_own_way(
    processor: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    large_by_default = convolution.LARGE
    processor(False)
    monkeypatch.setattr(convolution, "LARGE", large_by_default)
    layer = Conv2d(4, 4, 3, padding=1)
    large, small = torch.empty(4, 64, 64, 64), torch.empty(1, 4, 8, 8)
    assert convolution._pays(layer, large)
    assert not convolution._pays(layer, small)
    with torch.autocast("cpu", torch.bfloat16):
        assert not convolution._pays(layer, large)
    with torch.no_grad():
        assert not convolution._pays(layer, large)
    assert not convolution._pays(layer.eval(), large)
    for other in ({"kernel_size": 1}, {"kernel_size": 7, "stride": 2, "padding": 3}, {"kernel_size": 4, "stride": 2}):
        assert not convolution._pays(Conv2d(4, 4, **other), large)
    assert not convolution._pays(Conv2d(4, 4, 3, padding=1, groups=2), large)
    processor(True)
    assert not convolution._pays(layer.train(), large)

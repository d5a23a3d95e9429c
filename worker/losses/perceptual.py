"""LPIPS v0.1 (Zhang et al. 2018) on depth maps: distances between the features of a network trained on photographs."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from depthboard.config.losses.further import BACKBONE_FILES
from depthboard.errors import InvalidInput, Unavailable
from depthboard.metrics import METRES_PER_UNIT
from worker.losses.backbones import SMALLEST_SIDE, TAPS, TRUNKS
from worker.losses.masked import depths, full_precision, image_means, mean_of_images

Net = Literal["alex", "vgg", "squeeze"]

SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
UNIT_FLOOR = 1e-10
"""Under the root of a feature's length; LPIPS adds it after the root, where a feature of zeros has the gradient nan."""


class Backbone(nn.Module):
    """A frozen trunk with LPIPS' learned weight, 0 or more, of each channel of each tapped layer."""

    def __init__(self, net: Net, trunk: nn.Sequential, channel_weights: list[Tensor]) -> None:
        super().__init__()
        self._taps, self._trunk = TAPS[net], trunk
        self.smallest_side = SMALLEST_SIDE[net]
        for i, weight in enumerate(channel_weights):
            self.register_buffer(f"channels{i}", weight)
        self.requires_grad_(False).eval()

    def forward(self, depth: Tensor) -> list[Tensor]:
        """Depth (B,1,H,W) in metres to unit features (B,C,h,w) of each tapped layer, times the root of the channels' weights."""
        grey = depth / METRES_PER_UNIT - 1
        x = torch.cat([(grey - shift) / scale for shift, scale in zip(SHIFT, SCALE, strict=True)], dim=1)
        features: list[Tensor] = []
        for i, layer in enumerate(self._trunk):
            x = layer(x)
            if i in self._taps:
                length = (x.square().sum(dim=1, keepdim=True) + UNIT_FLOOR).sqrt()
                features.append(x / length * self.get_buffer(f"channels{len(features)}").sqrt())
        return features


def lpips(pred: Tensor, target: Tensor, mask: Tensor, *, net: Net, weights: str | None) -> Tensor:
    """Σ_k mean_hw Σ_c w_kc (φ_k(target) − φ_k(pred))² of each image, then the mean over images (Zhang et al. 2018, eq. 1).

    Depth is shown as a grey picture, 0–10 m as −1–1; φ are the backbone's features of unit length. Features see beyond a
    pixel, so invalid pixels hold the image's mean target in both maps: they cost nothing themselves, and blur what lies
    beside them alike. Raises Unavailable where the weights cannot be read, InvalidInput for images too small for the backbone.
    """
    pred, target = depths(pred, target, mask)
    backbone = load_backbone(net, weights).to(pred.device, pred.dtype)
    if min(pred.shape[-2:]) < backbone.smallest_side:
        raise InvalidInput(
            f"lpips with {net} needs {backbone.smallest_side} pixels a side, not {tuple(pred.shape[-2:])}."
        )
    fill = image_means(target, mask).view(-1, 1, 1, 1)
    with full_precision(pred):
        with torch.no_grad():
            wanted = backbone(torch.where(mask, target, fill))
        given = backbone(torch.where(mask, pred, fill))
    layers = [(y - x).square().sum(dim=1).mean(dim=(1, 2)) for x, y in zip(given, wanted, strict=True)]
    return mean_of_images(torch.stack(layers).sum(dim=0), mask)


@lru_cache(maxsize=3)
def load_backbone(net: Net, weights: str | None) -> Backbone:
    """The frozen backbone, on the CPU, with torchvision's weights from the file `weights`. Raises Unavailable, with the remedy, where they
    are not to be had or do not fit."""
    trunk = TRUNKS[net]()
    expected = trunk.state_dict()
    state = _read(net, weights)
    found = {name.removeprefix("features."): value for name, value in state.items() if name.startswith("features.")}
    for name, value in expected.items():
        there = tuple(found[name].shape) if isinstance(found.get(name), Tensor) else "missing"
        if there != tuple(value.shape):
            raise _refused(net, f"{weights} is not {net}: features.{name} is {there}, not {tuple(value.shape)}.")
    trunk.load_state_dict({name: found[name] for name in expected})
    return Backbone(net, trunk, channel_weights(net))


def _read(net: Net, weights: str | None) -> dict[str, Any]:
    if weights is None:
        raise _refused(net, "lpips has no file of weights for its backbone.")
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    except OSError as error:
        raise _refused(net, f"{weights} cannot be read: {error.strerror}.") from error
    except Exception as error:  # whatever torch's unpickler says of a file of another kind
        raise _refused(net, f"{weights} is no file of torch weights.") from error
    if not isinstance(state, dict):
        raise _refused(net, f"{weights} holds no weights by name.")
    return state


def channel_weights(net: Net) -> list[Tensor]:
    """LPIPS' 1×1 weights of each tapped layer, (1,C,1,1): files that the torchmetrics wheel carries, read without importing it."""
    package = importlib.util.find_spec("torchmetrics")
    if package is None or package.origin is None:
        raise Unavailable(
            "LPIPS' own weights are in the package torchmetrics, which is not installed here.",
            field="loss.name",
            remedy="pip install torchmetrics",
        )
    file = Path(package.origin).parent / "functional" / "image" / "lpips_models" / f"{net}.pth"
    state = torch.load(file, map_location="cpu", weights_only=True)
    return [state[f"lin{i}.model.1.weight"] for i in range(len(TAPS[net]))]


def _refused(net: Net, message: str) -> Unavailable:
    url = f"https://download.pytorch.org/models/{BACKBONE_FILES[net]}"
    return Unavailable(
        message, field="loss.weights", remedy=f"Put {url} on every worker, and its path there into loss.weights."
    )

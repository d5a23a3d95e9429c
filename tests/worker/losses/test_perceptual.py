"""LPIPS: what it asks for, what it says without it, and that the trunks are torchvision's."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch

from depthboard.config import LOSS_CONFIGS
from depthboard.errors import InvalidInput, Unavailable
from tests.worker.losses.cases import backbone_file, batch, compute
from worker.losses import loss_of
from worker.losses.backbones import SMALLEST_SIDE, TRUNKS
from worker.losses.perceptual import load_backbone


@pytest.mark.parametrize(("net", "parameters"), [("alex", 2_469_696), ("vgg", 14_714_688), ("squeeze", 722_496)])
def test_the_trunks_have_the_parameters_of_torchvisions_features(net: str, parameters: int) -> None:
    assert sum(p.numel() for p in TRUNKS[net]().parameters()) == parameters


def test_the_names_of_the_weights_are_torchvisions() -> None:
    assert list(TRUNKS["alex"]().state_dict())[:4] == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert list(TRUNKS["vgg"]().state_dict())[-2:] == ["28.weight", "28.bias"]
    assert list(TRUNKS["squeeze"]().state_dict())[-2:] == ["12.expand3x3.weight", "12.expand3x3.bias"]


@pytest.mark.parametrize("net", TRUNKS)
def test_the_backbone_is_frozen_and_read_once(net: Any) -> None:
    backbone = load_backbone(net, str(backbone_file(net)))
    assert backbone is load_backbone(net, str(backbone_file(net)))
    assert not backbone.training
    assert not any(p.requires_grad for p in backbone.parameters())


def test_a_classifier_in_the_file_is_left_alone(tmp_path: Path) -> None:
    state = torch.load(backbone_file("alex"), weights_only=True)
    torch.save({**state, "classifier.1.weight": torch.zeros(3)}, tmp_path / "whole.pth")
    assert load_backbone("alex", str(tmp_path / "whole.pth"))


def written(folder: Path, kind: str) -> str:
    file = folder / "weights.pth"
    state = torch.load(backbone_file("alex"), weights_only=True)
    match kind:
        case "absent":
            return str(file)
        case "folder":
            return str(folder)
        case "text":
            file.write_text("these are no weights")
        case "list":
            torch.save([1, 2], file)
        case "other net":
            return str(backbone_file("vgg"))
        case "too few":
            torch.save({k: v for k, v in state.items() if not k.startswith("features.10")}, file)
    return str(file)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("absent", "weights.pth cannot be read: No such file or directory"),
        ("folder", "cannot be read: Is a directory"),
        ("text", "is no file of torch weights"),
        ("list", "holds no weights by name"),
        ("other net", r"is not alex: features.0.weight is \(64, 3, 3, 3\), not \(64, 3, 11, 11\)"),
        ("too few", r"features.10.weight is missing, not \(256, 256, 3, 3\)"),
    ],
)
def test_weights_that_cannot_be_had_are_refused_with_the_remedy_before_anything_is_trained(
    tmp_path: Path, kind: str, words: str
) -> None:
    with pytest.raises(Unavailable, match=words) as caught:
        loss_of(LOSS_CONFIGS["lpips"](weights=written(tmp_path, kind)))
    assert caught.value.field == "loss.weights"
    assert "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth" in str(caught.value.remedy)


def test_without_a_path_the_function_says_what_is_missing() -> None:
    with pytest.raises(Unavailable, match="no file of weights"):
        load_backbone("alex", None)


def test_without_torchmetrics_the_remedy_is_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    load_backbone.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(Unavailable, match="pip install torchmetrics"):
        load_backbone("alex", str(backbone_file("alex")))


@pytest.mark.parametrize("net", TRUNKS)
def test_the_smallest_side_is_enough_and_one_pixel_less_is_refused(net: str) -> None:
    settings = {"net": net, "weights": str(backbone_file(net))}
    side = SMALLEST_SIDE[net]
    pred, target, mask = batch(size=(side, side), images=1)
    assert compute("lpips", pred, target, mask, **settings).item() > 0
    with pytest.raises(InvalidInput, match=f"needs {side} pixels a side"):
        compute("lpips", pred[..., 1:], target[..., 1:], mask[..., 1:], **settings)


def test_features_of_zeros_have_a_finite_gradient(tmp_path: Path) -> None:
    """With eps after the root, as LPIPS has it, √0 gives nan."""
    state = torch.load(backbone_file("alex"), weights_only=True)
    torch.save({name: torch.zeros_like(value) for name, value in state.items()}, tmp_path / "zeros.pth")
    pred, target, mask = batch("lpips")
    value = compute("lpips", pred.requires_grad_(), target, mask, weights=str(tmp_path / "zeros.pth"))
    (gradient,) = torch.autograd.grad(value, pred)
    assert value.item() == 0
    assert torch.isfinite(gradient).all()

"""ImageNet weights from a file in torchvision's form, whose names and shapes are written down here anew."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from depthboard.config import NetworkConfig
from depthboard.config.training import Encoder
from depthboard.errors import InvalidInput, Unavailable
from worker.networks import NETWORKS, load_pretrained, prepare_network

Shape = tuple[int, ...]


def norm(name: str, channels: int) -> Iterator[tuple[str, Shape]]:
    for part in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{part}", (channels,)


def densenet121() -> dict[str, Shape]:
    """The tensors of torchvision's densenet121, in its names of today, without the counters."""
    names: dict[str, Shape] = {"features.conv0.weight": (64, 3, 7, 7), **dict(norm("features.norm0", 64))}
    channels = 64
    for block, layers in enumerate((6, 12, 24, 16), start=1):
        for layer in range(1, layers + 1):
            prefix = f"features.denseblock{block}.denselayer{layer}"
            names |= dict(norm(f"{prefix}.norm1", channels)) | {f"{prefix}.conv1.weight": (128, channels, 1, 1)}
            names |= dict(norm(f"{prefix}.norm2", 128)) | {f"{prefix}.conv2.weight": (32, 128, 3, 3)}
            channels += 32
        if block < 4:
            prefix = f"features.transition{block}"
            names |= dict(norm(f"{prefix}.norm", channels)) | {f"{prefix}.conv.weight": (channels // 2, channels, 1, 1)}
            channels //= 2
    return names | dict(norm("features.norm5", 1024)) | {"classifier.weight": (1000, 1024), "classifier.bias": (1000,)}


def resnet50() -> dict[str, Shape]:
    """The tensors of torchvision's resnet50, without the counters."""
    names: dict[str, Shape] = {"conv1.weight": (64, 3, 7, 7), **dict(norm("bn1", 64))}
    channels = 64
    for layer, (width, depth) in enumerate(zip((64, 128, 256, 512), (3, 4, 6, 3), strict=True), start=1):
        for block in range(depth):
            prefix = f"layer{layer}.{block}"
            names |= {f"{prefix}.conv1.weight": (width, channels, 1, 1), **dict(norm(f"{prefix}.bn1", width))}
            names |= {f"{prefix}.conv2.weight": (width, width, 3, 3), **dict(norm(f"{prefix}.bn2", width))}
            names |= {f"{prefix}.conv3.weight": (4 * width, width, 1, 1), **dict(norm(f"{prefix}.bn3", 4 * width))}
            if block == 0:
                names |= {f"{prefix}.downsample.0.weight": (4 * width, channels, 1, 1)}
                names |= dict(norm(f"{prefix}.downsample.1", 4 * width))
            channels = 4 * width
    return names | {"fc.weight": (1000, 2048), "fc.bias": (1000,)}


def constant(shape: Shape, value: float) -> Tensor:
    """Every element the same and stored once, so that the files stay small."""
    return torch.full((1,), value).expand(shape)


def write(path: Path, names: dict[str, Shape], *, old: bool = False) -> Path:
    """A weights file in which the i-th tensor holds i everywhere; `old`: the names of 2017, `norm.1` for `norm1`."""
    tensors = {name: constant(shape, float(i)) for i, (name, shape) in enumerate(names.items())}
    if old:
        for layer in ("norm1", "norm2", "conv1", "conv2"):
            tensors = {
                name.replace(f".{layer}.", f".{layer[:-1]}.{layer[-1]}."): tensor for name, tensor in tensors.items()
            }
    torch.save(tensors, path)
    return path


ENCODERS: dict[Encoder, dict[str, Shape]] = {"densenet121": densenet121(), "resnet50": resnet50()}
HEADS = {"densenet121": ["classifier.weight", "classifier.bias"], "resnet50": ["fc.weight", "fc.bias"]}
OWN = {
    "densenet121": ["features.downconv0.weight", *(name for name, _ in norm("features.downnorm0", 64))],
    "resnet50": ["downconv1.weight", "downconv1.bias", *(name for name, _ in norm("downbn1", 64))],
}


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_tensor_of_the_trunk_is_copied_and_nothing_else(encoder: Encoder, tmp_path: Path) -> None:
    names = ENCODERS[encoder]
    path = write(tmp_path / "imagenet.pth", names)
    network, _, report = prepare_network(NetworkConfig(encoder=encoder, weights=str(path)), seed=0)
    trunk = [name for name in names if name not in HEADS[encoder]]
    assert report is not None
    assert set(report.copied) == {f"encoder.{name}" for name in trunk}
    assert report.unused == HEADS[encoder]
    decoder = [name for name in network.state_dict() if name.startswith(("up.", "last.")) and "num_batches" not in name]
    assert report.not_copied == [*(f"encoder.{name}" for name in OWN[encoder]), *decoder]
    state, position = network.state_dict(), {name: i for i, name in enumerate(names)}
    for name in trunk:
        assert (state[f"encoder.{name}"] == position[name]).all(), name


def test_densenet_files_with_the_names_of_2017_load_the_same(tmp_path: Path) -> None:
    network = NETWORKS["densenet121"](NetworkConfig())
    new = load_pretrained(network, write(tmp_path / "new.pth", densenet121()))
    old_file = write(tmp_path / "old.pth", densenet121(), old=True)
    assert "features.denseblock1.denselayer1.norm.1.weight" in torch.load(old_file, weights_only=True)
    old = load_pretrained(network, old_file)
    assert (old.copied, old.not_copied, old.unused) == (new.copied, new.not_copied, new.unused)
    assert old.sha256 == hashlib.sha256(old_file.read_bytes()).hexdigest() != new.sha256


def test_a_tensor_of_another_shape_is_left_and_told(tmp_path: Path) -> None:
    names = resnet50() | {"conv1.weight": (64, 1, 7, 7)}
    report = load_pretrained(
        NETWORKS["resnet50"](NetworkConfig(encoder="resnet50")), write(tmp_path / "grey.pth", names)
    )
    assert "encoder.conv1.weight" in report.not_copied
    assert "conv1.weight" in report.unused


def refusal(path: Path, encoder: Encoder = "densenet_small") -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        load_pretrained(NETWORKS[encoder](NetworkConfig(encoder=encoder)), path)
    assert caught.value.field == "network.weights"
    assert caught.value.remedy
    return caught.value


def test_a_missing_file_is_told_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"no weights file at .*none\.pth on this worker") as caught:
        load_pretrained(NETWORKS["densenet_small"](NetworkConfig()), tmp_path / "none.pth")
    assert caught.value.field == "network.weights"


def test_weights_of_another_network_are_refused_with_both_sides_names(tmp_path: Path) -> None:
    message = refusal(write(tmp_path / "resnet.pth", resnet50())).message
    assert "267 such as conv1.weight (64, 3, 7, 7)" in message
    assert "such as features.conv0.weight (16, 3, 3, 3)" in message


def test_counters_alone_do_not_make_weights_fit(tmp_path: Path) -> None:
    torch.save({"features.norm0.num_batches_tracked": torch.tensor(7)}, tmp_path / "counter.pth")
    assert "the file has none" in refusal(tmp_path / "counter.pth").message


def test_a_checkpoint_is_not_a_state_dict(tmp_path: Path) -> None:
    torch.save({"epoch": 90, "state_dict": {"conv1.weight": torch.zeros(1)}}, tmp_path / "checkpoint.pth")
    assert "a dictionary with the keys 'epoch', 'state_dict'" in refusal(tmp_path / "checkpoint.pth").message


def test_a_single_tensor_is_not_a_state_dict(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    assert "it holds a Tensor" in refusal(tmp_path / "tensor.pth").message


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"PK\x03\x04 cut off"])
def test_a_file_that_pytorch_cannot_read_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.pth").write_bytes(content)
    assert "cannot be read as PyTorch weights" in refusal(tmp_path / "broken.pth").message


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.pth", densenet121()).read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    assert "cannot be read as PyTorch weights" in refusal(tmp_path / "cut.pth").message


class Ran:
    """Unpickling this would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_a_file_cannot_run_code(tmp_path: Path) -> None:
    torch.save({"conv1.weight": Ran(tmp_path / "ran")}, tmp_path / "evil.pth")
    assert "cannot be read as PyTorch weights" in refusal(tmp_path / "evil.pth").message
    assert not (tmp_path / "ran").exists()

"""The PatchGAN, and the game it plays with a network."""

from __future__ import annotations

import pytest
import torch

from depthboard.config import NetworkConfig
from depthboard.config.training import Encoder
from worker.losses import LOSSES
from worker.networks import Discriminator, discriminator_for, prepare_discriminator, prepare_network


def scores(discriminator: Discriminator, rows: int, columns: int) -> torch.Tensor:
    return discriminator(torch.zeros(1, 1, rows, columns), torch.zeros(1, 3, rows, columns))


def test_the_paper_s_discriminator_has_663_617_parameters() -> None:
    assert sum(parameter.numel() for parameter in discriminator_for("densenet121").parameters()) == 663_617


@pytest.mark.parametrize(("n_layers", "size"), [(1, (126, 158)), (2, (62, 78)), (3, (30, 38)), (4, (14, 18))])
def test_the_map_for_256_by_320(n_layers: int, size: tuple[int, int]) -> None:
    assert scores(Discriminator(n_layers, width=4), 256, 320).shape == (1, 1, *size)


@pytest.mark.parametrize(("n_layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_a_score_sees_a_square_of_34_pixels_with_two_strided_layers(n_layers: int, field: int) -> None:
    discriminator = Discriminator(n_layers, width=2)
    depth = torch.zeros(1, 1, 128, 128, requires_grad=True)
    out = discriminator(depth, torch.rand(1, 3, 128, 128))
    out[0, 0, out.shape[2] // 2, out.shape[3] // 2].backward()
    seen = depth.grad[0, 0] != 0
    assert (int(seen.any(dim=1).sum()), int(seen.any(dim=0).sum())) == (field, field)


def test_it_has_no_normalisation_and_biases_at_its_ends_only() -> None:
    convolutions = [layer for layer in discriminator_for("resnet50").layers if isinstance(layer, torch.nn.Conv2d)]
    assert [layer.bias is not None for layer in convolutions] == [True, False, False, True]
    assert not any("Norm" in type(layer).__name__ for layer in discriminator_for("resnet50").modules())


@pytest.mark.parametrize("encoder", ["densenet_small", "resnet_small"])
def test_the_small_networks_have_a_small_one(encoder: Encoder) -> None:
    discriminator = discriminator_for(encoder)
    assert discriminator.layers[0].out_channels == 32
    assert scores(discriminator, 64, 96).shape == (1, 1, 30, 46)


def test_depth_comes_first_and_then_the_image() -> None:
    discriminator = discriminator_for("densenet_small")
    seen = []
    discriminator.layers.register_forward_hook(lambda _m, given, _o: seen.append(given[0]))
    discriminator(torch.full((1, 1, 64, 96), 0.5), torch.zeros(1, 3, 64, 96))
    assert seen[0][0, :, 0, 0].tolist() == [0.5, 0, 0, 0]


def test_the_same_seed_gives_the_same_discriminator() -> None:
    one, other, third = (prepare_discriminator("densenet_small", seed).layers[0].weight for seed in (1, 1, 2))
    assert torch.equal(one, other)
    assert not torch.equal(one, third)
    assert one.std().item() == pytest.approx(0.02, rel=0.2)


def test_without_l1_the_discriminator_alone_still_changes_every_layer_of_the_network() -> None:
    network = prepare_network(NetworkConfig(encoder="densenet_small"), seed=0).network
    discriminator = prepare_discriminator("densenet_small", seed=0)
    before = [parameter.detach().clone() for parameter in network.parameters() if parameter.ndim == 4]
    image, target = torch.rand(2, 3, 32, 32), torch.full((2, 1, 32, 32), 3.0)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    pred = network(image)
    fake_scores = discriminator(pred / 5 - 1, image)
    settings = {"l1_weight": 0.0, "unit": "metre", "adversarial_weight": 1.0}
    LOSSES["gan"](pred, target, target > 0, fake_scores=fake_scores, **settings).backward()
    optimiser.step()
    after = [parameter for parameter in network.parameters() if parameter.ndim == 4]
    assert all(not torch.equal(one, other) for one, other in zip(before, after, strict=True))

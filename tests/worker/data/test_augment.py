"""What training does to a batch: where pixels go, what becomes of their depth, and what decides it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from depthboard.config import DataConfig
from worker.data import augment

ROWS, COLUMNS = 64, 96


def ramp(images: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Red rises with the row, green with the column; depth is 2 m on even and 4 m on odd columns, one pixel in five invalid."""
    row, column = torch.meshgrid(torch.linspace(-1, 1, ROWS), torch.linspace(-1, 1, COLUMNS), indexing="ij")
    rgb = torch.stack([row, column, torch.zeros_like(row)]).expand(images, -1, -1, -1)
    depth = (2.0 + 2 * (torch.arange(COLUMNS) % 2)).expand(images, 1, ROWS, COLUMNS).clone()
    depth[:, :, ::5] = 0
    return rgb, depth, depth > 0


def test_without_augmentation_the_batch_is_as_it_was() -> None:
    batch = ramp()
    assert all(
        torch.equal(now, then) for now, then in zip(augment(batch, DataConfig(hflip=0), 0, 0), batch, strict=True)
    )


def test_a_flip_mirrors_image_depth_and_mask_alike() -> None:
    batch = ramp()
    mirrored = augment(batch, DataConfig(hflip=1), 0, 0)
    assert all(torch.equal(now, then.flip(-1)) for now, then in zip(mirrored, batch, strict=True))


def test_flips_have_the_probability_asked_for() -> None:
    batch = ramp(100)
    flipped = [augment(batch, DataConfig(hflip=0.5), 0, step)[0][:, 1, 0, 0] > 0 for step in range(100)]
    assert abs(torch.cat(flipped).float().mean().item() - 0.5) < 0.02  # 4 standard errors


def test_zoom_divides_depth_by_the_enlargement_and_shows_a_window_of_the_image() -> None:
    rgb, depth, mask = augment(ramp(), DataConfig(hflip=0, zoom=2), 0, 0)
    for image in range(4):
        scale = 2 / depth[image][mask[image]].min().item()
        assert 1 < scale < 2
        span = rgb[image, 1, 0, -1] - rgb[image, 1, 0, 0]  # of the 2 units from column to column, 1/scale are left
        assert span.item() == pytest.approx(2 * (1 - 1 / COLUMNS) / scale, rel=0.03)
        assert rgb[image].abs().max() <= 1
        values = torch.tensor([2 / scale, 4 / scale])
        nearest = (depth[image][mask[image]][:, None] - values).abs().amin(dim=1)
        assert nearest.max() < 1e-5, "a depth was mixed from two pixels"


def test_zoom_keeps_a_pixel_over_its_own_depth_and_an_invalid_one_invalid() -> None:
    """Depth that is a function of red, so that it must be the same function afterwards, up to half a source pixel."""
    rgb, _, _ = ramp()
    depth = 3 + rgb[:, :1]
    depth = torch.where(rgb[:, :1] < -0.5, 0, depth)
    seen, zoomed, mask = augment((rgb, depth, depth > 0), DataConfig(hflip=0.5, zoom=1.5), 3, 7)
    scale = torch.from_numpy(np.random.Generator(np.random.PCG64([3, 2, 7])).random(8)[4:]).float() * 0.5 + 1
    expected = (3 + seen[:, :1]) / scale[:, None, None, None]
    half = 1 / ROWS * 1.1
    assert (zoomed - expected).abs()[mask].max() <= half
    assert not mask[seen[:, :1] < -0.5 - half].any()
    assert mask[seen[:, :1] > -0.5 + half].all()


def place() -> tuple[torch.Tensor, torch.Tensor]:
    """(B,3,h,w) pictures whose red is the row's and green the column's place in true proportions (columns −1.5 … 1.5), and their depth: a code of the pixel."""
    row, column = torch.meshgrid(torch.arange(ROWS) + 0.5, torch.arange(COLUMNS) + 0.5, indexing="ij")
    rgb = torch.stack([row / ROWS * 2 - 1, column / COLUMNS * 2 - 1, torch.zeros_like(row)]).expand(40, -1, -1, -1)
    code = 1 + torch.arange(ROWS * COLUMNS, dtype=torch.float32).view(ROWS, COLUMNS) / 1000
    return rgb, code.expand(40, 1, -1, -1)


def test_half_of_the_images_are_turned_by_a_normal_angle_in_true_proportions() -> None:
    rgb, depth = place()
    aspect = COLUMNS / ROWS
    angles = []
    for step in range(20):
        seen, _, _ = augment((rgb, depth, depth > 0), DataConfig(hflip=0, rotation=5), 0, step, aspect)
        middle = seen[:, :2, ROWS // 2 - 8 : ROWS // 2 + 8, COLUMNS // 2 - 8 : COLUMNS // 2 + 8]
        across = middle[..., -1] - middle[..., 0]  # how row and column change from left to right
        angles.append(torch.atan2(across[:, 0].mean(-1), across[:, 1].mean(-1) * aspect))
        down = middle[:, :, -1] - middle[:, :, 0]
        other = torch.atan2(-down[:, 1].mean(-1) * aspect, down[:, 0].mean(-1))
        assert torch.allclose(angles[-1], other, atol=1e-4), "a rotation, not a shear"
    degrees = torch.rad2deg(torch.cat(angles))
    turned = degrees.abs() > 1e-4
    assert abs(turned.float().mean().item() - 0.5) < 0.06  # 800 images, 3.4 standard errors
    assert degrees[turned].std().item() == pytest.approx(5, rel=0.12)


def test_a_turned_picture_keeps_each_depth_over_its_pixel_and_is_invalid_beyond_the_edge() -> None:
    rgb, depth = place()
    seen, turned, mask = augment((rgb, depth, depth > 0), DataConfig(hflip=0, rotation=10), 0, 1, 1.5)
    pixel = ((turned - 1) * 1000).round().long()
    row, column = pixel // COLUMNS, pixel % COLUMNS
    expected = torch.cat([(row + 0.5) / ROWS * 2 - 1, (column + 0.5) / COLUMNS * 2 - 1], dim=1)
    inside = (mask & (seen[:, :2].abs().amax(1, keepdim=True) < 0.95)).expand(-1, 2, -1, -1)
    offset = (seen[:, :2] - expected).abs()
    assert offset[inside].max() <= 1 / ROWS * 1.01, "the nearest pixel lies within half a pixel each way"
    assert (~mask).any()
    assert (turned[~mask] == 0).all()
    assert set(pixel[mask].tolist()) <= set(range(ROWS * COLUMNS)), "no depth is mixed from two"


def test_colour_multiplies_each_channel_from_black() -> None:
    rgb, depth, mask = ramp()
    bright = augment((rgb * 0.5, depth, mask), DataConfig(hflip=0, colour=0.2), 0, 0)[0]
    gain = (bright + 1) / (rgb * 0.5 + 1)
    assert (gain.amax(dim=(2, 3)) - gain.amin(dim=(2, 3))).max() < 1e-5
    assert 0.8 <= gain.min() < gain.max() <= 1.2
    assert len(gain.mean(dim=(2, 3)).unique()) == 12
    assert augment((torch.ones_like(rgb), depth, mask), DataConfig(hflip=0, colour=0.2), 0, 0)[0].max() <= 1


def test_seed_and_step_alone_decide_what_is_drawn() -> None:
    config = DataConfig(zoom=1.5, colour=0.2)
    first = augment(ramp(), config, 0, 5)[0]
    torch.rand(10)
    assert torch.equal(first, augment(ramp(), config, 0, 5)[0])
    assert not torch.equal(first, augment(ramp(), config, 0, 6)[0])
    assert not torch.equal(first, augment(ramp(), config, 1, 5)[0])

"""What training does to a batch before the network sees it, on whatever device it lies; what is drawn follows from the seed and the step alone."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from depthboard.config import DataConfig
from worker.data.store import Batch


def augment(batch: Batch, config: DataConfig, seed: int, step: int, aspect: float = 1.0) -> Batch:
    """Flip, zoom, rotation and colour of `config` on rgb (B,3,h,w) in [−1,1], depth (B,1,h,w) in metres and its mask.

    Zoom by s cuts a window of 1/s of the sides, enlarges it and divides its depth by s: to a camera of the same focal length the
    scene is that much nearer (Eigen et al. 2014, 3.4). A rotation is one about the optical axis, so depth stays; `aspect` is width over height
    of the picture that was squeezed into (h,w). Depth and mask are taken from the nearest pixel, never mixed, so an invalid pixel stays
    one and makes no other invalid; what is turned in from outside the picture is invalid too.
    """
    rgb, depth, mask = batch
    drawn = np.random.Generator(np.random.PCG64([seed, 2, step]))
    images = len(rgb)
    mirrored = _given(drawn.random(images) < config.hflip, rgb.device)[:, None, None, None]
    rgb, depth, mask = (torch.where(mirrored, t.flip(-1), t) for t in (rgb, depth, mask))
    if config.zoom > 1 or config.rotation > 0:
        scale = drawn.uniform(1, config.zoom, images)
        offset = drawn.uniform(-1, 1, (images, 2)) * (1 - 1 / scale)[:, None]
        turned = drawn.random(images) < 0.5
        angle = np.radians(drawn.normal(0, 1, images) * config.rotation) * turned
        window = _given(_windows(scale, offset, angle, aspect), rgb.device).float()
        rgb, depth, mask = _warp(rgb, depth, mask, window, _given(scale, rgb.device).float())
    if config.colour > 0:
        gain = drawn.uniform(1 - config.colour, 1 + config.colour, (images, 3, 1, 1))
        rgb = ((rgb + 1) * _given(gain, rgb.device).float() - 1).clamp_(max=1)
    return rgb, depth, mask


def _given(values: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(values).to(device, non_blocking=True)


def _windows(scale: np.ndarray, offset: np.ndarray, angle: np.ndarray, aspect: float) -> np.ndarray:
    """(B,2,3) maps from a pixel's place to where it is taken from, both in −1..1 across the picture: turned in true proportions, shrunk, moved."""
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    rows = np.stack([cos, -sin / aspect, offset[:, 0]], axis=1), np.stack([sin * aspect, cos, offset[:, 1]], axis=1)
    return np.stack(rows, axis=1)


def _warp(rgb: Tensor, depth: Tensor, mask: Tensor, window: Tensor, scale: Tensor) -> Batch:
    grid = F.affine_grid(window, list(rgb.shape), align_corners=False)
    rgb = F.grid_sample(rgb, grid, mode="bilinear", padding_mode="border", align_corners=False)
    depth = F.grid_sample(torch.where(mask, depth, 0), grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return rgb, depth / scale[:, None, None, None], depth > 0

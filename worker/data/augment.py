"""What training does to a batch before the network sees it; what is drawn follows from the seed and the step alone."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from depthboard.config import DataConfig
from worker.data.store import Batch


def augment(batch: Batch, config: DataConfig, seed: int, step: int) -> Batch:
    """Flip, zoom and colour of `config` on rgb (B,3,h,w) in [−1,1], depth (B,1,h,w) in metres and its mask.

    Zoom by s cuts a window of 1/s of the sides, enlarges it and divides its depth by s: to a camera of the same focal length the
    scene is that much nearer (Eigen et al. 2014, 3.4). Depth and mask are taken from the nearest pixel, never mixed, so an
    invalid pixel stays one and makes no other invalid.
    """
    rgb, depth, mask = batch
    drawn = np.random.Generator(np.random.PCG64([seed, 2, step]))
    images = len(rgb)
    mirrored = torch.from_numpy(drawn.random(images) < config.hflip)[:, None, None, None]
    rgb, depth, mask = (torch.where(mirrored, t.flip(-1), t) for t in (rgb, depth, mask))
    if config.zoom > 1:
        scale = torch.from_numpy(drawn.uniform(1, config.zoom, images)).float()
        offset = torch.from_numpy(drawn.uniform(-1, 1, (images, 2))).float()
        rgb, depth, mask = _zoom(rgb, depth, mask, scale, offset)
    if config.colour > 0:
        gain = torch.from_numpy(drawn.uniform(1 - config.colour, 1 + config.colour, (images, 3, 1, 1))).float()
        rgb = ((rgb + 1) * gain - 1).clamp_(max=1)
    return rgb, depth, mask


def _zoom(rgb: Tensor, depth: Tensor, mask: Tensor, scale: Tensor, offset: Tensor) -> Batch:
    """The window of 1/scale (B,) of the sides, `offset` (B,2) in [−1,1] of the way from the centre to the left/right and top/bottom edge."""
    share = 1 / scale
    window = torch.zeros(len(scale), 2, 3)
    window[:, 0, 0] = window[:, 1, 1] = share
    window[:, :, 2] = offset * (1 - share)[:, None]
    grid = F.affine_grid(window, list(rgb.shape), align_corners=False)
    rgb = F.grid_sample(rgb, grid, mode="bilinear", padding_mode="border", align_corners=False)
    depth = F.grid_sample(torch.where(mask, depth, 0), grid, mode="nearest", padding_mode="border", align_corners=False)
    return rgb, depth / scale[:, None, None, None], depth > 0

"""MS-SSIM and the mix of Zhao et al.: known values, holes, negative similarity."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from depthboard.errors import InvalidInput
from tests.worker.losses.cases import batch, compute
from worker.losses.masked import full_precision


def room(rows: int = 256, columns: int = 320, seed: int = 0) -> Tensor:
    """A smooth map of 1–5 m with edges, (1,1,H,W)."""
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(rows, columns)), 12)
    steps = np.digitize(noise, np.quantile(noise, [0.3, 0.6, 0.8])) + noise / np.abs(noise).max()
    return torch.from_numpy(1 + 4 * (steps - steps.min()) / np.ptp(steps))[None, None]


def everywhere(like: Tensor) -> Tensor:
    return torch.ones_like(like, dtype=torch.bool)


def test_ms_ssim_barely_sees_half_a_metre_of_offset() -> None:
    target = room()
    smooth = torch.from_numpy(ndimage.gaussian_filter(target.numpy(), (0, 0, 6, 6)))
    assert 1 - compute("ms_ssim", smooth + 0.5, smooth, everywhere(smooth)).item() == pytest.approx(0.998, abs=1e-3)


def test_ms_ssim_of_two_constants_is_the_luminance_to_the_last_weight() -> None:
    """1 m and 3 m: l = (6 + 0.01) / (10 + 0.01), cs = 1; three scales at 64 × 96, the third weighs 0.3001 · 1.0001 / 0.6305."""
    pred, target = (
        torch.full((2, 1, 64, 96), 1.0, dtype=torch.float64),
        torch.full((2, 1, 64, 96), 3.0, dtype=torch.float64),
    )
    expected = 1 - (6.01 / 10.01) ** (0.3001 * 1.0001 / 0.6305)
    assert compute("ms_ssim", pred, target, everywhere(pred)).item() == pytest.approx(expected, rel=1e-12)


def test_l1_ms_ssim_of_two_constants_by_hand() -> None:
    """0.84 (1 − 6.01 / 10.01) + 0.16 · 2 m / 10 m, at the border as inside it."""
    pred, target = (
        torch.full((2, 1, 8, 12), 1.0, dtype=torch.float64),
        torch.full((2, 1, 8, 12), 3.0, dtype=torch.float64),
    )
    expected = 0.84 * (1 - 6.01 / 10.01) + 0.16 * 0.2
    assert compute("l1_ms_ssim", pred, target, everywhere(pred)).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["ms_ssim", "l1_ms_ssim"])
def test_a_hole_over_a_fault_takes_the_fault_away(name: str) -> None:
    """A block that is 5 m off costs something, and nothing where it is masked: filling holes would leave its edges."""
    target = room(64, 96)
    pred, mask = target.clone(), everywhere(target)
    pred[..., 20:30, 40:60] += 5
    assert compute(name, pred, target, mask).item() > 0.01
    mask[..., 20:30, 40:60] = False
    assert compute(name, pred, target, mask).item() == pytest.approx(0, abs=1e-14)


def test_holes_in_an_evenly_wrong_map_do_not_make_it_look_better() -> None:
    """The same noise everywhere: with a third of the pixels masked the loss stays within a tenth."""
    target = room(64, 96)
    pred = target + 0.4 * torch.randn(target.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mask = everywhere(target)
    whole = compute("l1_ms_ssim", pred, target, mask).item()
    mask[..., 16:48, :] = False
    assert compute("l1_ms_ssim", pred, target, mask).item() == pytest.approx(whole, rel=0.1)


def test_an_anti_correlated_prediction_has_a_gradient_that_leads_out_of_it() -> None:
    """pytorch-msssim cuts negative similarity off at 0 and is stuck here. A step against the gradient lowers the loss."""
    noise = torch.randn(1, 1, 64, 96, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    target, pred = 5 + noise, (5 - noise).requires_grad_()
    loss = compute("ms_ssim", pred, target, everywhere(target))
    (gradient,) = torch.autograd.grad(loss, pred)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() > 0
    assert (gradient * (target - pred.detach())).sum() < 0
    better = pred.detach() - 0.5 * gradient / gradient.abs().max()
    assert compute("ms_ssim", better, target, everywhere(target)).item() < loss.item() <= 1


def test_in_float32_a_map_ten_metres_away_keeps_its_digits() -> None:
    target = room(64, 96) + 5
    pred = target + 0.01 * torch.sin(torch.arange(96, dtype=torch.float64))
    wide = compute("ms_ssim", pred, target, everywhere(target)).item()
    narrow = compute("ms_ssim", pred.float(), target.float(), everywhere(target)).item()
    assert narrow == pytest.approx(wide, abs=2e-6)


def test_an_odd_side_loses_no_pixel() -> None:
    """A fault in the last row and column of 47 × 49 is seen, and a mask of that pixel alone is enough."""
    pred, target, mask = batch(size=(47, 49), images=1)
    pred[:], target[:], mask[:] = 4.0, 2.0, False
    mask[..., -1, -1] = True
    expected = 1 - ((16 + 0.01) / (20 + 0.01)) ** (0.3001 * 1.0001 / 0.6305)
    assert compute("ms_ssim", pred, target, mask).item() == pytest.approx(expected, rel=1e-9)


def test_images_too_small_for_a_window_are_refused() -> None:
    pred, target, mask = batch(size=(10, 64))
    with pytest.raises(InvalidInput, match="more than 10 pixels a side, not 10×64"):
        compute("ms_ssim", pred, target, mask)


def test_windows_are_summed_in_float32_where_the_network_runs_in_tf32_and_the_setting_comes_back() -> None:
    def settings() -> tuple[str, bool]:
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        with full_precision(torch.zeros(1)):
            assert settings() == ("highest", False)
        assert settings() == ("high", True)
    finally:
        torch.set_float32_matmul_precision(before)

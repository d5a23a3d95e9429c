"""Per-image sums against NumPy in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from depthboard.config import DataConfig, EvaluationConfig
from depthboard.metrics import SUMS, from_sums
from worker.metrics import constant_sums, image_sums

LIMITS = {"min_depth": 1e-3, "max_depth": 10.0}


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Four float32 images of 6×7 with holes (NaN in the target), the third without a valid pixel."""
    random = np.random.default_rng(3)
    pred, target = (torch.from_numpy(random.uniform(0.3, 9.8, (4, 1, 6, 7)).astype(np.float32)) for _ in range(2))
    mask = torch.from_numpy(random.random((4, 1, 6, 7)) > 0.3)
    mask[2] = False
    target[~mask] = float("nan")
    return pred, target, mask


def by_numpy(pred: torch.Tensor, target: torch.Tensor, mask: torch.Tensor) -> np.ndarray:
    rows = []
    for p, g, m in zip(pred.numpy(), target.numpy(), mask.numpy(), strict=True):
        p, g = p[m].astype(np.float64), g[m].astype(np.float64)
        ratio = np.where(p > g, p / g, g / p)
        logs = np.log(g / p)
        rows.append(
            [len(g), np.abs(g - p).sum(), ((g - p) ** 2).sum(), np.abs(1 - p / g).sum(), ((g - p) ** 2 / g).sum()]
            + [logs.sum(), (logs**2).sum(), np.abs(np.log10(g / p)).sum()]
            + [float((ratio < limit).sum()) for limit in (1.25, 1.5625, 1.953125)]
            + [0]
        )
    return np.array(rows)


def test_the_sums_equal_numpy_s_to_one_in_a_billion() -> None:
    pred, target, mask = batch()
    sums = image_sums(pred, target, mask, **LIMITS)
    assert sums.dtype == torch.float64
    assert sums.shape == (4, len(SUMS))
    np.testing.assert_allclose(sums.numpy(), by_numpy(pred, target, mask), rtol=1e-9, atol=1e-12)


def test_an_image_without_a_valid_pixel_has_sums_of_zero() -> None:
    assert torch.count_nonzero(image_sums(*batch(), **LIMITS)[2]) == 0


def test_the_metrics_of_an_evaluation_do_not_depend_on_how_it_was_cut_into_batches() -> None:
    pred, target, mask = batch()
    whole = image_sums(pred, target, mask, **LIMITS).numpy()
    parts = [image_sums(pred[i : i + 1], target[i : i + 1], mask[i : i + 1], **LIMITS).numpy() for i in range(4)]
    assert from_sums(np.concatenate(parts), "per_image") == from_sums(whole, "per_image")


@pytest.mark.parametrize(
    ("prediction", "counted_as"), [(math.nan, 1e-3), (-math.inf, 1e-3), (math.inf, 10.0), (-2.0, 1e-3), (70.0, 10.0)]
)
def test_a_prediction_outside_the_range_counts_as_its_nearer_end_and_nan_as_the_smallest_depth(
    prediction: float, counted_as: float
) -> None:
    target, mask = torch.full((1, 1, 2, 2), 4.0), torch.ones(1, 1, 2, 2, dtype=torch.bool)
    sums = image_sums(torch.full((1, 1, 2, 2), prediction), target, mask, **LIMITS)[0]
    assert sums[SUMS.index("abs")].item() == pytest.approx(4 * abs(counted_as - 4.0))
    assert sums[SUMS.index("nonfinite")].item() == (0 if math.isfinite(prediction) else 4)


def test_a_non_finite_prediction_outside_the_mask_is_not_counted() -> None:
    pred, target, mask = batch()
    clean = image_sums(pred, target, mask, **LIMITS)
    pred[~mask] = float("inf")
    assert torch.equal(image_sums(pred, target, mask, **LIMITS), clean)


def test_a_factor_of_exactly_one_point_two_five_is_not_within_it() -> None:
    sums = image_sums(
        torch.full((1, 1, 1, 1), 5.0), torch.full((1, 1, 1, 1), 4.0), torch.ones(1, 1, 1, 1) > 0, **LIMITS
    )
    assert sums[0, SUMS.index("delta1")] == 0
    assert sums[0, SUMS.index("delta2")] == 1


def test_the_constant_prediction_by_hand() -> None:
    """Ground truth 1 and 3 m, one hole and one pixel at the far end, which is not scored; constant 2 m: both errors are 1 m."""
    data = DataConfig(height=32, width=32)
    target = torch.zeros(1, 1, 32, 32)
    target[0, 0, 0, :4] = torch.tensor([1.0, 3.0, float("nan"), 10.0])
    sums = constant_sums(2.0, target, evaluation=EvaluationConfig(), data=data, frame=(48, 64))[0]
    expected = {"n": 2, "abs": 2, "sq": 2, "abs_rel": 1 + 1 / 3, "sq_rel": 1 + 1 / 3}
    assert {name: sums[SUMS.index(name)].item() for name in expected} == pytest.approx(expected)

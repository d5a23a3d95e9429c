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
BINS = ((0, 2), (2, 4), (4, 6), (6, 10))


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Four float32 images of 6×7 with holes (NaN in the target), the third without a valid pixel."""
    random = np.random.default_rng(3)
    pred, target = (torch.from_numpy(random.uniform(0.3, 9.8, (4, 1, 6, 7)).astype(np.float32)) for _ in range(2))
    mask = torch.from_numpy(random.random((4, 1, 6, 7)) > 0.3)
    mask[2] = False
    target[~mask] = float("nan")
    return pred, target, mask


def in_bin(g: np.ndarray, p: np.ndarray, low: float, high: float) -> tuple[float, float]:
    chosen = np.logical_and(low <= g, g < high)
    return chosen.sum(), np.square(g - p)[chosen].sum()


def aligned(how: str, g: np.ndarray, p: np.ndarray) -> tuple[float, float, float]:
    """Σ|e|/g, Σe² and the pixels within 1.25 after NumPy's own fit."""
    if not len(g):
        return 0, 0, 0
    fitted = p * (np.median(g) / np.median(p)) if how == "median" else np.polyval(np.polyfit(p, g, 1), p)
    fitted = np.minimum(np.maximum(fitted, LIMITS["min_depth"]), LIMITS["max_depth"])
    return np.abs(1 - fitted / g).sum(), np.square(g - fitted).sum(), (np.abs(np.log(g / fitted)) < np.log(1.25)).sum()


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
            + [0, 0]
            + [float(v) for b in BINS for v in in_bin(g, p, *b)]
            + [float(v) for how in ("median", "affine") for v in aligned(how, g, p)]
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
    assert sums[SUMS.index("clipped")].item() == (4 if math.isfinite(prediction) else 0)


def test_a_prediction_at_an_end_of_the_range_is_not_clipped() -> None:
    target, mask = torch.full((1, 1, 1, 3), 4.0), torch.ones(1, 1, 1, 3, dtype=torch.bool)
    pred = torch.tensor([1e-3, 10.0, 10.001]).view(1, 1, 1, 3)
    assert image_sums(pred, target, mask, **LIMITS)[0, SUMS.index("clipped")].item() == 1


def one_image(pred: np.ndarray, target: np.ndarray) -> dict[str, float]:
    maps = [torch.from_numpy(x.reshape(1, 1, 1, -1)) for x in (pred, target)]
    sums = image_sums(*maps, torch.ones(1, 1, 1, pred.size, dtype=torch.bool), **LIMITS)
    return from_sums(sums.numpy(), "per_image")


TARGET = np.random.default_rng(5).uniform(1, 9, 101)


def test_the_median_alignment_forgives_a_scale_and_the_affine_one_a_shift_too() -> None:
    """Three times the depth leaves the scored range; it is aligned before it is clamped."""
    scaled, shifted = one_image(3 * TARGET, TARGET), one_image(0.4 * TARGET + 1.5, TARGET)
    assert scaled["rmse_median"] == pytest.approx(0, abs=1e-12)
    assert scaled["delta1_median"] == 1
    assert scaled["clipped"] > 0.5
    assert shifted["rmse_affine"] == pytest.approx(0, abs=1e-12)
    assert shifted["abs_rel_affine"] == pytest.approx(0, abs=1e-12)
    assert shifted["rmse_median"] > 0.1


def test_the_median_of_an_even_number_of_pixels_is_the_mean_of_the_middle_two() -> None:
    """Medians 3 m (of 1, 2, 4, 8) and 1 m: the prediction 1 m becomes 3 m, errors 2, 1, 1, 5."""
    metrics = one_image(np.ones(4), np.array([1.0, 2.0, 4.0, 8.0]))
    assert metrics["rmse_median"] == pytest.approx(math.sqrt(31 / 4))


def test_a_constant_prediction_is_aligned_to_the_mean_of_the_ground_truth() -> None:
    metrics = one_image(np.full(TARGET.size, 0.1), TARGET)
    assert metrics["rmse_affine"] == pytest.approx(np.std(TARGET))


def test_a_prediction_without_a_positive_median_is_not_aligned_by_it() -> None:
    metrics = one_image(np.full(TARGET.size, -1.0), TARGET)
    assert metrics["rmse_median"] == metrics["rmse"] == pytest.approx(np.sqrt(np.mean((TARGET - 1e-3) ** 2)))


@pytest.mark.parametrize("seed", range(5))
def test_no_affine_alignment_makes_the_error_larger(seed: int) -> None:
    pred = np.random.default_rng(seed).normal(4, 6, TARGET.size)
    metrics = one_image(pred, TARGET)
    assert metrics["rmse_affine"] <= metrics["rmse"]


def test_each_depth_bin_begins_at_its_lower_end() -> None:
    """Errors of 1, 2, 3 and 4 m at ground truths of 1.999, 2, 4 and 6 m."""
    metrics = one_image(np.array([2.999, 4.0, 7.0, 10.0]), np.array([1.999, 2.0, 4.0, 6.0]))
    assert [metrics[f"rmse_{name}"] for name in ("0_2m", "2_4m", "4_6m", "6_10m")] == pytest.approx([1, 2, 3, 4])


def test_what_lies_outside_the_mask_changes_no_sum() -> None:
    pred, target, mask = batch()
    clean = image_sums(pred, target, mask, **LIMITS)
    pred[~mask], target[~mask] = 1e6, -5.0
    assert torch.equal(image_sums(pred, target, mask, **LIMITS), clean)


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


@pytest.mark.parametrize("limits", [{"min_depth": 2.0, "max_depth": 10.0}, {"min_depth": 1e-3, "max_depth": 0.8}])
def test_holes_cost_nothing_in_a_range_without_one_metre(limits: dict[str, float]) -> None:
    depth = torch.full((1, 1, 4, 4), limits["max_depth"] / 2 + limits["min_depth"] / 2)
    mask = torch.zeros_like(depth, dtype=torch.bool)
    mask[0, 0, 1, 2] = True
    found = from_sums(image_sums(depth, depth, mask, **limits).numpy(), "pooled")
    errors = ("mae", "rmse", "abs_rel", "sq_rel", "rmse_log", "log10", "rmse_median", "rmse_affine", "clipped")
    assert {name: found[name] for name in errors} == dict.fromkeys(errors, 0)
    assert found["delta1"] == 1

"""Metrics from stored sums."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthboard.errors import InvalidInput
from depthboard.metrics import (
    DEPTH_BINS,
    FIRST_SUMS,
    METRICS,
    SHARPNESS,
    SHARPNESS_METRICS,
    SUMS,
    Averaging,
    from_sums,
    full_name,
    per_image,
    resolution_limited,
    sharpness_means,
)


def aligned_by(how: str, g: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The prediction fitted to one image's ground truth, by NumPy's median or its least-squares solver."""
    if how == "median":
        return p * np.median(g) / np.median(p)
    solution = np.linalg.lstsq(np.stack([p, np.ones_like(p)], axis=1), g, rcond=None)[0]
    return np.asarray(solution[0] * p + solution[1])


def sums_of(ground_truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """One image's row of SUMS, written here a second time and in another way than the worker's."""
    g, p = ground_truth.ravel().astype(np.float64), prediction.ravel().astype(np.float64)
    d = np.log(g / p)
    within = [float(np.sum(np.abs(d) < k * math.log(1.25))) for k in (1, 2, 3)]
    bins = [(g >= low) & (g < high) for low, high in ((0, 2), (2, 4), (4, 6), (6, 10))]
    aligned = [np.clip(aligned_by(how, g, p), 1e-3, 10) for how in ("median", "affine")]
    return np.array(
        [
            len(g),
            np.abs(g - p).sum(),
            ((g - p) ** 2).sum(),
            (np.abs(g - p) / g).sum(),
            ((g - p) ** 2 / g).sum(),
            d.sum(),
            (d**2).sum(),
            np.abs(d / math.log(10)).sum(),
            *within,
            0,
            0,
            *(value for b in bins for value in (b.sum(), ((g - p)[b] ** 2).sum())),
            *(
                value
                for a in aligned
                for value in (np.sum(np.abs(g - a) / g), np.sum((g - a) ** 2), np.sum(np.maximum(g / a, a / g) < 1.25))
            ),
        ]
    )


def direct(ground_truth: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """The metrics of one set of pixels as the literature defines them."""
    g, p = ground_truth.ravel().astype(np.float64), prediction.ravel().astype(np.float64)
    ratio = np.maximum(g / p, p / g)
    return {
        "mae": np.abs(g - p).mean(),
        "abs_rel": (np.abs(g - p) / g).mean(),
        "sq_rel": ((g - p) ** 2 / g).mean(),
        "rmse": np.sqrt(((g - p) ** 2).mean()),
        "rmse_log": np.sqrt(((np.log(g) - np.log(p)) ** 2).mean()),
        "log10": np.abs(np.log10(g) - np.log10(p)).mean(),
        "silog": 100 * np.std(np.log(p) - np.log(g)),
        "delta1": (ratio < 1.25).mean(),
        "delta2": (ratio < 1.25**2).mean(),
        "delta3": (ratio < 1.25**3).mean(),
    }


def extended(ground_truth: np.ndarray, prediction: np.ndarray) -> dict[str, float]:
    """The metrics of one image that depend on its alignment or on a part of its pixels."""
    found: dict[str, float] = {"clipped": 0.0, "nonfinite": 0.0}
    for how in ("median", "affine"):
        fitted = direct(ground_truth, np.clip(aligned_by(how, ground_truth, prediction), 1e-3, 10))
        found |= {f"{name}_{how}": fitted[name] for name in ("abs_rel", "rmse", "delta1")}
    for name, (low, high) in DEPTH_BINS.items():
        squared = (ground_truth - prediction)[(ground_truth >= low) & (ground_truth < high)] ** 2
        found[f"rmse_{name}"] = float(np.sqrt(squared.mean())) if squared.size else math.nan
    return found


@pytest.fixture
def images() -> list[tuple[np.ndarray, np.ndarray]]:
    """Three images of different sizes, ground truth and prediction in metres."""
    random = np.random.default_rng(0)
    return [(random.uniform(0.5, 9.5, n), random.uniform(0.5, 9.5, n)) for n in (50, 700, 3)]


def test_pooled_metrics_are_those_of_all_pixels_as_one_set(images: list[tuple[np.ndarray, np.ndarray]]) -> None:
    sums = np.array([sums_of(*image) for image in images])
    expected = direct(np.concatenate([g for g, _ in images]), np.concatenate([p for _, p in images]))
    found = from_sums(sums, "pooled")
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_per_image_metrics_are_the_mean_of_each_image_s_own(images: list[tuple[np.ndarray, np.ndarray]]) -> None:
    sums = np.array([sums_of(*image) for image in images])
    each = [direct(*image) | extended(*image) for image in images]
    expected = {name: float(np.nanmean([metrics[name] for metrics in each])) for name in METRICS}
    assert from_sums(sums, "per_image") == pytest.approx(expected, rel=1e-9)
    for name, values in per_image(sums).items():
        np.testing.assert_allclose(values, [metrics[name] for metrics in each], rtol=1e-9)


def test_the_two_averagings_differ_in_the_root_mean_square() -> None:
    """Errors of 0 m in one image and 1 m in another: √½ pooled, ½ as the mean of the images."""
    one = np.ones(4)
    sums = np.array([sums_of(one, one), sums_of(one, 2 * one)])
    assert from_sums(sums, "pooled")["rmse"] == pytest.approx(math.sqrt(0.5))
    assert from_sums(sums, "per_image")["rmse"] == pytest.approx(0.5)


def test_a_common_scale_by_hand() -> None:
    """p = 1.3 g: rel 0.3, rmslog ln 1.3, SILog 0, beyond 1.25 and within 1.25²."""
    g = np.array([1.0, 2.0, 5.0])
    metrics = from_sums(sums_of(g, 1.3 * g)[None], "pooled")
    assert metrics["abs_rel"] == pytest.approx(0.3)
    assert metrics["rmse_log"] == pytest.approx(math.log(1.3))
    assert metrics["silog"] == pytest.approx(0, abs=1e-5)
    assert [metrics["delta1"], metrics["delta2"], metrics["delta3"]] == [0, 1, 1]


@pytest.mark.parametrize("averaging", ["per_image", "pooled"])
def test_images_without_a_valid_pixel_are_left_out(averaging: str, images: list[tuple[np.ndarray, np.ndarray]]) -> None:
    sums = np.array([sums_of(*image) for image in images])
    with_empty = np.vstack([sums, np.zeros(len(SUMS))])
    assert from_sums(with_empty, averaging) == from_sums(sums, averaging)
    assert math.isnan(per_image(with_empty)["rmse"][3])


@pytest.mark.parametrize("averaging", ["per_image", "pooled"])
@pytest.mark.parametrize("images_without_depth", [0, 2])
def test_an_evaluation_without_a_valid_pixel_is_nan_and_no_warning(averaging: str, images_without_depth: int) -> None:
    metrics = from_sums(np.zeros((images_without_depth, len(SUMS))), averaging)
    assert list(metrics) == list(METRICS)
    assert all(math.isnan(value) for value in metrics.values())


def test_a_variance_that_rounds_below_zero_gives_a_silog_of_zero() -> None:
    row = sums_of(np.ones(4), np.ones(4))
    row[SUMS.index("log")], row[SUMS.index("log_sq")] = 4e-3, 4e-6 - 1e-18
    assert per_image(row[None])["silog"][0] == 0


@pytest.mark.parametrize("shape", [(12,), (3, 11), (3, 13), (1, 3, 12)])
def test_sums_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match=rf"\(images, {len(SUMS)}\), or \(images, 12\) from evaluator 1"):
        from_sums(np.zeros(shape), "pooled")


@pytest.mark.parametrize("averaging", ["per_image", "pooled"])
def test_sums_of_the_first_evaluator_give_its_metrics_as_ever_and_nan_for_the_newer_ones(
    images: list[tuple[np.ndarray, np.ndarray]], averaging: Averaging
) -> None:
    sums = np.array([sums_of(*image) for image in images])
    now, then = from_sums(sums, averaging), from_sums(sums[:, :FIRST_SUMS], averaging)
    first = [m.name for m in METRICS.values() if m.group == "error"] + ["nonfinite"]
    assert {name: then[name] for name in first} == {name: now[name] for name in first}
    assert all(math.isnan(then[name]) for name in METRICS if name not in first)


def test_an_image_without_pixels_in_a_depth_bin_is_left_out_of_that_bin_alone() -> None:
    """1 m predicted 2 m, and 5 m predicted 8 m in four pixels: each bin is one image's, the others are undefined."""
    near, far = np.array([1.0]), np.full(4, 5.0)
    sums = np.array([sums_of(near, near + 1), sums_of(far, far + 3)])
    for averaging in ("per_image", "pooled"):
        metrics = from_sums(sums, averaging)
        assert metrics["rmse_0_2m"] == pytest.approx(1)
        assert metrics["rmse_4_6m"] == pytest.approx(3)
        assert math.isnan(metrics["rmse_2_4m"])
        assert math.isnan(metrics["rmse_6_10m"])
    assert from_sums(sums, "per_image")["mae"] == pytest.approx(2)
    assert from_sums(sums, "pooled")["mae"] == pytest.approx(13 / 5)


def test_a_sum_that_is_not_finite_shows_in_the_mean() -> None:
    row = sums_of(np.ones(4), np.ones(4))
    broken = row.copy()
    broken[SUMS.index("abs")] = math.nan
    assert math.isnan(from_sums(np.array([row, broken]), "per_image")["mae"])
    assert from_sums(np.array([row, broken]), "per_image")["rmse"] == 0


def test_the_bins_together_are_the_pooled_square_error() -> None:
    random = np.random.default_rng(1)
    sums = sums_of(random.uniform(0.1, 9.9, 500), random.uniform(0.1, 9.9, 500))
    column = dict(zip(SUMS, sums, strict=True))
    assert sum(column[f"n_{name}"] for name in DEPTH_BINS) == column["n"]
    assert sum(column[f"sq_{name}"] for name in DEPTH_BINS) == pytest.approx(column["sq"])


def test_the_registry_names_every_metric_once_and_knows_which_way_is_better() -> None:
    errors = [name for name, metric in METRICS.items() if metric.group == "error"]
    assert errors == ["mae", "abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "silog", "delta1", "delta2", "delta3"]
    aligned = [name for name, metric in METRICS.items() if metric.group == "aligned"]
    assert aligned == [f"{name}_{how}" for how in ("median", "affine") for name in ("abs_rel", "rmse", "delta1")]
    assert [name for name, m in METRICS.items() if m.group == "depth"] == [f"rmse_{name}" for name in DEPTH_BINS]
    assert [name for name, m in METRICS.items() if m.group == "health"] == ["clipped", "nonfinite"]
    both = METRICS | SHARPNESS_METRICS
    assert all(name == metric.name for name, metric in both.items())
    assert len(both) == len(METRICS) + len(SHARPNESS) == len({metric.title for metric in both.values()})
    assert all(m.lower_is_better != ("delta" in name) for name, m in METRICS.items())
    assert [m.unit for m in METRICS.values() if "Share" in m.title] == ["%"] * 7


def test_a_ratio_is_best_at_one_and_no_other_metric_has_an_ideal() -> None:
    ideals = {name: m.ideal for name, m in (METRICS | SHARPNESS_METRICS).items() if m.ideal is not None}
    assert ideals == {"gradient_ratio_edge": 1, "gradient_ratio_all": 1, "spectrum_ratio": 1}


def test_sharpness_is_averaged_over_the_images_where_it_is_defined() -> None:
    rows = np.full((3, len(SHARPNESS)), np.nan)
    rows[0, 0], rows[2, 0], rows[1, 1] = 1.0, 2.0, 5.0
    means = sharpness_means(rows)
    assert list(means) == list(SHARPNESS)
    assert means["mae_edge"] == (1.5, 2)
    assert means["mae_flat"] == (5.0, 1)
    assert math.isnan(means["dbe_acc"].value)
    assert means["dbe_acc"].images == 0


def test_a_measure_that_is_infinite_is_no_undefined_one() -> None:
    assert sharpness_means(np.full((1, len(SHARPNESS)), math.inf))["mae_edge"] == (math.inf, 1)


def test_sharpness_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidInput, match=rf"must be \(images, {len(SHARPNESS)}\), but has shape \(3, 2\)"):
        sharpness_means(np.zeros((3, 2)))


def test_maps_smaller_than_the_paper_s_in_one_direction_are_resolution_limited() -> None:
    sizes = [(256, 320), (480, 640), (224, 320), (256, 288), (64, 96)]
    assert [resolution_limited(*size) for size in sizes] == [False, False, True, True, True]


def test_the_full_name_of_a_protocol_holds_its_averaging_and_ends_in_its_version() -> None:
    assert full_name("bts-0.001-10m-native-v2", "per_image") == "bts-0.001-10m-native-per-image-v2"
    assert full_name("none-0.001-10m-64x96", "pooled") == "none-0.001-10m-64x96-pooled"


def test_one_flat_image_does_not_make_the_mean_of_the_spectrums_ratio() -> None:
    rows = np.full((3, len(SHARPNESS)), 0.5)
    rows[:, SHARPNESS.index("spectrum_ratio")] = (1e-3, 1e-3, 1e6)
    means = sharpness_means(rows)
    assert means["spectrum_ratio"].value == pytest.approx(1.0)
    assert means["mae_edge"].value == 0.5
    rows[0, SHARPNESS.index("spectrum_ratio")] = 0
    assert sharpness_means(rows)["spectrum_ratio"].value == 0

"""Metrics from stored sums."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depthboard.errors import InvalidInput
from depthboard.metrics import METRICS, SUMS, from_sums, per_image


def sums_of(ground_truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """One image's row of SUMS, written here a second time and in another way than the worker's."""
    g, p = ground_truth.ravel().astype(np.float64), prediction.ravel().astype(np.float64)
    d = np.log(g / p)
    within = [float(np.sum(np.abs(d) < k * math.log(1.25))) for k in (1, 2, 3)]
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


@pytest.fixture
def images() -> list[tuple[np.ndarray, np.ndarray]]:
    """Three images of different sizes, ground truth and prediction in metres."""
    random = np.random.default_rng(0)
    return [(random.uniform(0.5, 9.5, n), random.uniform(0.5, 9.5, n)) for n in (50, 700, 3)]


def test_pooled_metrics_are_those_of_all_pixels_as_one_set(images: list[tuple[np.ndarray, np.ndarray]]) -> None:
    sums = np.array([sums_of(*image) for image in images])
    expected = direct(np.concatenate([g for g, _ in images]), np.concatenate([p for _, p in images]))
    assert from_sums(sums, "pooled") == pytest.approx(expected, rel=1e-9)


def test_per_image_metrics_are_the_mean_of_each_image_s_own(images: list[tuple[np.ndarray, np.ndarray]]) -> None:
    sums = np.array([sums_of(*image) for image in images])
    each = [direct(*image) for image in images]
    expected = {name: float(np.mean([metrics[name] for metrics in each])) for name in METRICS}
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


@pytest.mark.parametrize("shape", [(12,), (3, 11), (1, 3, 12)])
def test_sums_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidInput, match=r"\(images, 12\)"):
        from_sums(np.zeros(shape), "pooled")


def test_the_registry_names_every_metric_once_and_knows_which_way_is_better() -> None:
    assert list(METRICS) == [
        "mae",
        "abs_rel",
        "sq_rel",
        "rmse",
        "rmse_log",
        "log10",
        "silog",
        "delta1",
        "delta2",
        "delta3",
    ]
    assert all(name == metric.name for name, metric in METRICS.items())
    assert [name for name, metric in METRICS.items() if not metric.lower_is_better] == ["delta1", "delta2", "delta3"]
    assert [name for name, metric in METRICS.items() if metric.unit == "%"] == ["delta1", "delta2", "delta3"]

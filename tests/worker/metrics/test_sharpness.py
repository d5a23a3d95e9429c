"""Measures of edges: by hand, with holes, and their answer to a blur and to a shift on real depth."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from scipy import ndimage

from depthboard.config import DataConfig, EvaluationConfig
from depthboard.metrics import SHARPNESS, sharpness_means
from tests.worker.metrics.conftest import at_paper_size
from worker.metrics import evaluation_sharpness
from worker.metrics.edges import canny
from worker.metrics.sharpness import sharpness

WHOLE = np.ones((40, 48), dtype=bool)
EDGE_SCORES = [name for name in SHARPNESS if name.startswith("edge_")]


def wall(at: int = 24, near: float = 2.0, far: float = 4.0) -> np.ndarray:
    """(40,48): `near` metres left of column `at`, `far` metres right of it, their mean in it, where Canny's line is."""
    return np.select([np.arange(48) < at, np.arange(48) > at], [near, far], (near + far) / 2) * np.ones((40, 1))


def measured(pred: np.ndarray, target: np.ndarray, mask: np.ndarray | None = None) -> dict[str, float]:
    row = sharpness(pred, target, np.ones(target.shape, dtype=bool) if mask is None else mask)
    return dict(zip(SHARPNESS, row.tolist(), strict=True))


def test_a_perfect_prediction_has_the_best_value_of_everything() -> None:
    found = measured(wall(), wall())
    assert [found[name] for name in ("mae_edge", "mae_flat", "dbe_acc", "dbe_comp")] == [0, 0, 0, 0]
    assert [found[name] for name in ("gradient_ratio_edge", "gradient_ratio_all", "spectrum_ratio")] == [1, 1, 1]
    assert [found[name] for name in EDGE_SCORES] == [1] * 9


def test_the_band_is_three_pixels_to_each_side_of_an_edge() -> None:
    """1 m of error in the seven columns about the line. At its ends, a pixel from the frame, the band is round."""
    assert canny(wall(), WHOLE)[1:-1, 24].all()
    pred = wall()
    pred[:, 21:28] += 1.0
    found = measured(pred, wall())
    assert found["mae_edge"] == 1
    beside = 2 * 2  # (row 0, column ±3) is √10 from the line's end
    assert found["mae_flat"] == pytest.approx(beside / (40 * 48 - 7 * 40 + beside))


def test_gradient_ratios_by_hand() -> None:
    """Half the step is half the gradient; a ramp beside it counts everywhere and not at the edge."""
    half = measured(wall(far=3.0), wall())
    assert half["gradient_ratio_edge"] == half["gradient_ratio_all"] == 0.5
    noisy = wall()
    noisy[:, 5:8] += 0.5
    found = measured(noisy, wall())
    assert found["gradient_ratio_edge"] == 1
    assert found["gradient_ratio_all"] == pytest.approx(1.5)


def test_edge_precision_recall_and_f1_by_hand() -> None:
    """The true step has a Sobel magnitude of 0.2, 0.4, 0.2; the prediction has it too, and a hard one of 0.4 in two columns."""
    target = wall(far=2.1)
    pred = target + 0.1 * (np.arange(48) >= 10)
    found = measured(pred, target)
    assert (found["edge_precision_25cm"], found["edge_recall_25cm"]) == (1 / 3, 1)
    assert found["edge_f1_25cm"] == 0.5
    assert math.isnan(found["edge_f1_50cm"]), "0.4 m is no edge above 0.5 m"


def test_a_prediction_without_edges_has_no_precision_no_recall_and_the_worst_boundary_error() -> None:
    found = measured(np.full((40, 48), 3.0), wall())
    assert math.isnan(found["edge_precision_25cm"])
    assert found["edge_recall_25cm"] == found["edge_f1_25cm"] == 0
    assert found["dbe_acc"] == found["dbe_comp"] == 10
    assert found["gradient_ratio_edge"] == found["spectrum_ratio"] == 0


def test_without_an_edge_in_the_ground_truth_the_measures_of_edges_are_undefined() -> None:
    found = measured(wall(), np.full((40, 48), 2.5))
    undefined = {name for name, value in found.items() if math.isnan(value)}
    assert undefined == set(SHARPNESS) - {"mae_flat"}
    assert found["mae_flat"] == pytest.approx((25 * 0.5 + 23 * 1.5) / 48)


def test_the_boundary_error_of_a_displaced_edge_is_its_displacement() -> None:
    found = measured(wall(at=28), wall(at=24))
    assert found["dbe_acc"] == found["dbe_comp"] == 4
    assert found["edge_f1_25cm"] == 0


def test_a_boundary_ten_pixels_away_is_not_matched_and_nine_is() -> None:
    assert measured(wall(at=33), wall(at=24))["dbe_acc"] == 9
    assert measured(wall(at=34), wall(at=24))["dbe_acc"] == 10
    assert measured(wall(at=34), wall(at=24))["dbe_comp"] == 10


def test_the_boundary_error_follows_the_script_of_ibims() -> None:
    """As evaluate_ibims_error_metrics.py writes it, with sums over products of maps."""
    random = np.random.default_rng(0)
    target = ndimage.gaussian_filter(random.uniform(1, 9, (64, 80)), 4) * 4
    pred = ndimage.gaussian_filter(target + random.normal(0, 0.2, target.shape), 1.5)
    mask = np.ones(target.shape, dtype=bool)
    gt, est = canny(target, mask).astype(int), canny(pred, mask).astype(int)
    d_gt, d_est = (ndimage.distance_transform_edt(1 - edges) for edges in (gt, est))
    near = est * (d_gt < 10)
    res = np.minimum(d_gt * est, 10) + np.minimum(d_est * gt, 10)
    found = measured(pred, target)
    assert found["dbe_acc"] == pytest.approx(np.sum(d_gt * near) / np.sum(near), rel=1e-12)
    assert found["dbe_comp"] == pytest.approx(np.sum(res) / (np.sum(est) + np.sum(gt)), rel=1e-12)


def test_the_spectrum_ratio_is_that_of_a_full_transform() -> None:
    random = np.random.default_rng(1)
    for shape in ((31, 48), (32, 45)):
        pred, target = random.uniform(1, 9, (2, *shape))
        window = np.outer(*(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n) for n in shape))
        fy, fx = np.meshgrid(np.fft.fftfreq(shape[0]), np.fft.fftfreq(shape[1]), indexing="ij")
        power = [np.abs(np.fft.fft2((x - x.mean()) * window))[fy**2 + fx**2 > 1 / 16] ** 2 for x in (pred, target)]
        assert measured(pred, target)["spectrum_ratio"] == pytest.approx(power[0].sum() / power[1].sum(), rel=1e-9)


def test_a_wave_finer_than_four_pixels_is_detail_and_a_coarser_one_is_not() -> None:
    x = np.arange(48)
    fine, coarse = (3 + np.cos(2 * np.pi * f * x) * np.ones((40, 1)) for f in (0.375, 0.125))
    assert measured(2 * fine, fine)["spectrum_ratio"] == pytest.approx(4)
    assert measured(fine + 5 * (coarse - 3), fine)["spectrum_ratio"] == pytest.approx(1, abs=1e-6)


def test_what_lies_in_the_holes_changes_nothing() -> None:
    random = np.random.default_rng(2)
    target, pred = wall() + random.normal(0, 0.05, (40, 48)), wall(at=26) + random.normal(0, 0.05, (40, 48))
    mask = random.random((40, 48)) > 0.02
    other_pred, other_target = np.where(mask, pred, 9.0), np.where(mask, target, math.nan)
    assert measured(other_pred, other_target, mask) == pytest.approx(measured(pred, target, mask), nan_ok=True)


def test_a_gradient_counts_only_where_its_whole_neighbourhood_is_valid() -> None:
    """A hole along the step: no edge is left to compare, though both sides of it are valid."""
    mask = WHOLE.copy()
    mask[:, 24] = False
    found = measured(wall(), wall(), mask)
    assert math.isnan(found["edge_f1_25cm"])
    assert math.isnan(found["gradient_ratio_all"])
    assert found["mae_flat"] == 0


def test_an_image_without_depth_is_undefined_throughout() -> None:
    assert np.isnan(sharpness(wall(), wall(), ~WHOLE)).all()


def test_under_a_protocol_the_maps_are_the_network_s_clamped_inside_its_window() -> None:
    """At native size too: the frame is 480×640, the maps 96×128; a NaN counts as the nearest depth, as in the sums."""
    data, evaluation = DataConfig(height=96, width=128), EvaluationConfig(crop="toolbox", resize="native")
    random = np.random.default_rng(3)
    target = torch.from_numpy(random.uniform(1, 9, (2, 1, 96, 128)).astype(np.float32))
    pred = target + 0.3
    pred[0, 0, 50, 60], pred[0, 0, 0] = math.nan, 1e9
    found = evaluation_sharpness(pred, target, evaluation=evaluation, data=data, frame=(480, 640))
    inside = np.zeros((96, 128), dtype=bool)
    inside[9:94, 8:120] = True
    pred[0, 0, 50, 60] = 1e-3
    expected = [sharpness(p.clip(1e-3, 10), g, inside) for p, g in zip(pred[:, 0].double().numpy(), target[:, 0].double().numpy(), strict=True)]  # fmt: skip
    np.testing.assert_allclose(found, expected)


# --- depth-study.md (g): what a Gaussian blur of the ground truth does ------------------------------------------------

COLUMNS = ("edge_f1_25cm", "edge_f1_50cm", "edge_f1_100cm", "dbe_acc", "dbe_comp", "gradient_ratio_edge", "mae_edge", "mae_flat")  # fmt: skip
BLURRED = {
    ("dfd", 1): (0.80, 0.81, 0.78, 0.12, 0.58, 0.78, 0.135, 0.008),
    ("dfd", 2): (0.65, 0.62, 0.46, 0.25, 1.9, 0.59, 0.228, 0.013),
    ("dfd", 4): (0.49, 0.37, 0.13, 0.51, 4.9, 0.37, 0.314, 0.029),
    ("dfd", 8): (0.32, 0.14, 0.03, 8.7, 9.7, 0.20, 0.377, 0.064),
    ("nyu", 2): (0.64, 0.57, 0.41, 0.27, 2.5, 0.77, 0.154, 0.015),
    ("nyu", 8): (0.31, 0.20, 0.07, 7.6, 9.2, 0.27, 0.320, 0.069),
}
TOLERANCE = {"edge": (0.03, 0), "dbe": (0.04, 0.10), "gradient": (0.025, 0), "mae_edge": (0, 0.15), "mae_flat": (0.002, 0)}  # fmt: skip
"""Absolute and relative. The table's resize is not on record; ours takes the nearest pixel, which keeps edges a little harder."""


def blurred(maps: np.ndarray, sigma: float) -> dict[str, float]:
    mask = np.ones(maps.shape[1:], dtype=bool)
    rows = np.stack([sharpness(ndimage.gaussian_filter(depth, sigma), depth, mask) for depth in maps])
    return {name: mean.value for name, mean in sharpness_means(rows).items()}


@pytest.fixture(scope="session")
def responses(nyu: np.ndarray, dfd: np.ndarray) -> dict[tuple[str, int], dict[str, float]]:
    maps = {"nyu": at_paper_size(nyu), "dfd": at_paper_size(dfd)}
    return {(name, sigma): blurred(maps[name], sigma) for name, sigma in BLURRED}


@pytest.mark.parametrize("case", BLURRED, ids=str)
def test_the_answer_to_a_blur_is_that_of_the_table(
    case: tuple[str, int], responses: dict[tuple[str, int], dict[str, float]]
) -> None:
    for name, due in zip(COLUMNS, BLURRED[case], strict=True):
        absolute, relative = next(value for start, value in TOLERANCE.items() if name.startswith(start))
        assert abs(responses[case][name] - due) <= absolute + relative * due + 0.005, name


@pytest.mark.parametrize("name", [*COLUMNS, "gradient_ratio_all", "spectrum_ratio"])
def test_more_blur_is_worse_in_every_measure(name: str, responses: dict[tuple[str, int], dict[str, float]]) -> None:
    falls = re.match("edge_f1|gradient|spectrum", name) is not None
    for data, sigmas in (("dfd", (1, 2, 4, 8)), ("nyu", (2, 8))):
        values = [responses[data, sigma][name] for sigma in sigmas]
        assert values == sorted(values, reverse=falls), data
        assert len(set(values)) == len(values)
        assert not falls or values[0] < 1


def test_a_shift_moves_edges_and_leaves_them_as_sharp(dfd: np.ndarray) -> None:
    """Sharp but displaced: F1 falls with the distance, the gradient and the spectrum stay."""
    maps, means = at_paper_size(dfd[::3]), {}
    for shift in (0, 1, 2, 4):
        pairs = [(depth[:, : 320 - shift], depth[:, shift:]) for depth in maps]
        rows = [sharpness(pred, target, np.ones(target.shape, dtype=bool)) for pred, target in pairs]
        means[shift] = {name: mean.value for name, mean in sharpness_means(np.stack(rows)).items()}
    for name in ("edge_f1_25cm", "edge_f1_50cm", "edge_f1_100cm"):
        values = [means[shift][name] for shift in (0, 1, 2, 4)]
        assert values == sorted(values, reverse=True)
        assert values[0] == 1
        assert values[-1] < 0.45
    assert [means[s]["dbe_comp"] for s in (0, 1, 2, 4)] == sorted(means[s]["dbe_comp"] for s in (0, 1, 2, 4))
    for shift in (1, 2, 4):
        assert means[shift]["gradient_ratio_all"] == pytest.approx(1, abs=0.03)
        assert means[shift]["spectrum_ratio"] == pytest.approx(1, abs=0.1)
    assert means[1]["gradient_ratio_edge"] == pytest.approx(1, abs=0.05)

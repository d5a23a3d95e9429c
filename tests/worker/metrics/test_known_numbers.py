"""The cross-checks of depth-study.md (c): what averaging, crop, size and 8 bits do to the numbers, on real depth maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from depthboard.config import RunConfig
from depthboard.metrics import SUMS, from_sums
from worker.data import open_source
from worker.metrics import evaluation_sums, image_sums

FRAME = (480, 640)


def score(pred: np.ndarray, target: np.ndarray, evaluation: Any, crop: str = "none") -> np.ndarray:
    """Sums of (N,h,w) predictions of the window `crop`, under a protocol, from (N,480,640) metres."""
    data = {"height": pred.shape[1], "width": pred.shape[2], "crop": crop}
    config = RunConfig.model_validate({"evaluation": evaluation, "data": data})
    rows = [
        evaluation_sums(*(torch.from_numpy(x)[None, None] for x in pair), evaluation=config.evaluation, data=config.data, frame=FRAME)
        for pair in zip(pred, target, strict=True)
    ]  # fmt: skip
    return torch.cat(rows).numpy()


def toolbox(pred: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Sums inside the paper's window, at native size."""
    window = (slice(None), slice(44, 471), slice(40, 601))
    maps = [torch.from_numpy(np.ascontiguousarray(x[window]))[:, None] for x in (pred, target)]
    return image_sums(*maps, torch.ones(maps[0].shape, dtype=torch.bool), min_depth=1e-3, max_depth=10.0).numpy()


@pytest.fixture(scope="module")
def guesses(nyu: np.ndarray) -> np.ndarray:
    """Predictions that are 14 % wrong: a factor of ±12 % an image, and patches of as much, doubled in a twentieth along each side."""
    random = np.random.default_rng(0)
    coarse = random.normal(size=(len(nyu), 24, 32))
    coarse = (coarse - coarse.mean(axis=(1, 2), keepdims=True)) / coarse.std(axis=(1, 2), keepdims=True)
    waves = coarse.repeat(20, axis=1).repeat(20, axis=2)
    waves[:, 24:-24, 32:-32] /= 2
    scale = random.permutation(np.linspace(-1, 1, len(nyu))) * 0.122 * 3**0.5
    return np.asarray(nyu * np.exp(scale[:, None, None] + 2 * 0.112 * waves))


@pytest.fixture(scope="module")
def in_toolbox(guesses: np.ndarray, nyu: np.ndarray) -> np.ndarray:
    return toolbox(guesses, nyu)


def test_pooling_all_pixels_makes_the_roots_larger_and_leaves_the_means(in_toolbox: np.ndarray) -> None:
    """Facts: rms 0.461 pooled against 0.415 per image, rmslog 0.171 against 0.164, SILog 17.0 against 11.8; rel and δ alike."""
    pooled, each = from_sums(in_toolbox, "pooled"), from_sums(in_toolbox, "per_image")
    for name in ("abs_rel", "sq_rel", "log10", "mae", "delta1", "delta2", "delta3"):
        assert pooled[name] == pytest.approx(each[name], rel=1e-9)
    assert pooled["abs_rel"] == pytest.approx(0.139, rel=0.01)
    assert (pooled["rmse"], each["rmse"]) == pytest.approx((0.461, 0.415), rel=0.03)
    assert (pooled["rmse_log"], each["rmse_log"]) == pytest.approx((0.171, 0.164), rel=0.02)
    assert (pooled["silog"], each["silog"]) == pytest.approx((17.0, 11.8), rel=0.01)
    assert pooled["rmse"] / each["rmse"] == pytest.approx(1.11, abs=0.02)


def test_the_larger_the_window_the_worse_where_errors_are_twice_as_large_near_the_frame(
    guesses: np.ndarray, nyu: np.ndarray, in_toolbox: np.ndarray
) -> None:
    """Facts: full frame rel 0.150, rms 0.495, δ1 77.5; Eigen 0.140, 0.472, 80.1; toolbox 0.139, 0.461, 80.4 (pooled)."""
    found = {name: from_sums(score(guesses, nyu, name), "pooled") for name in ("raw", "eigen")}
    found["toolbox"] = from_sums(in_toolbox, "pooled")
    for wide, narrow in (("raw", "eigen"), ("eigen", "toolbox")):
        assert found[wide]["abs_rel"] > found[narrow]["abs_rel"]
        assert found[wide]["rmse"] > found[narrow]["rmse"]
        assert found[wide]["delta1"] < found[narrow]["delta1"]
    for name, rel, rms, delta1 in (("raw", 0.150, 0.495, 0.775), ("eigen", 0.140, 0.472, 0.801), ("toolbox", 0.139, 0.461, 0.804)):  # fmt: skip
        assert (found[name]["abs_rel"], found[name]["rmse"]) == pytest.approx((rel, rms), rel=0.02)
        assert found[name]["delta1"] == pytest.approx(delta1, abs=0.005)


def test_one_row_and_one_column_less_change_the_third_digit_of_nothing(
    guesses: np.ndarray, nyu: np.ndarray, in_toolbox: np.ndarray
) -> None:
    bts, ours = from_sums(score(guesses[:8], nyu[:8], "bts"), "pooled"), from_sums(in_toolbox[:8], "pooled")
    for name in ("abs_rel", "rmse", "delta1"):
        assert bts[name] == pytest.approx(ours[name], rel=2e-3)
        assert bts[name] != ours[name]


def test_a_perfect_prediction_at_the_paper_s_size_is_not_perfect_at_the_frame_s(nyu: np.ndarray) -> None:
    """Facts: rel 0.0037, rms 0.039, δ1 99.95, for the window squeezed bilinearly and stretched back."""
    window = torch.from_numpy(nyu[:, 44:471, 40:601])[:, None]
    squeezed = interpolate(window.float(), size=(256, 320), mode="bilinear", antialias=True)[:, 0].double().numpy()
    found = from_sums(score(squeezed, nyu, {"crop": "toolbox", "resize": "native"}, crop="toolbox"), "pooled")
    assert found["abs_rel"] == pytest.approx(0.0037, rel=0.02)
    assert found["rmse"] == pytest.approx(0.039, rel=0.03)
    assert found["delta1"] == pytest.approx(0.9995, abs=2e-4)


def test_depth_of_8_bits_is_four_thousandths_off(real_data: Path) -> None:
    """Facts: rel 0.004, between the 16-bit BTS copy of a frame and its 8-bit DenseDepth twin."""

    with Image.open(real_data / "rgbd-original-formats/nyuv2_bts_sync/basement_0001a/sync_depth_00000.png") as picture:
        target = np.asarray(picture).astype(np.float64)[None] / 1000
    dense = open_source("densedepth", str(real_data / "nyuv2-densedepth-4scenes"))
    pred = dense.read("data/nyu2_train/basement_0001a_out/1.jpg").depth.astype(np.float64)[None]
    found = from_sums(score(pred, target, "bts"), "pooled")
    assert found["abs_rel"] == pytest.approx(0.004, abs=0.001)


def test_with_the_arguments_exchanged_rel_divides_by_the_prediction(guesses: np.ndarray, nyu: np.ndarray) -> None:
    """As DenseDepth calls its own function: a prediction 1.3 times too far has rel 0.3, and 0.3/1.3 that way."""
    pred, target = guesses[:4], nyu[:4]
    exchanged = from_sums(toolbox(target, np.clip(pred, 0.1, 9.99)), "pooled")["abs_rel"]
    window = (slice(None), slice(44, 471), slice(40, 601))
    p, g = np.clip(pred, 0.1, 9.99)[window], target[window]
    assert exchanged == pytest.approx(np.mean(np.abs(p - g) / p))
    one = np.full((1, 480, 640), 2.0)
    assert from_sums(toolbox(1.3 * one, one), "pooled")["abs_rel"] == pytest.approx(0.3)
    assert from_sums(toolbox(one, 1.3 * one), "pooled")["abs_rel"] == pytest.approx(0.3 / 1.3)


def test_the_windows_hold_as_many_pixels_as_their_names_say(nyu: np.ndarray) -> None:
    n = SUMS.index("n")
    counts = {name: score(nyu[:1], nyu[:1], name)[0, n] for name in ("bts", "eigen", "raw")}
    assert counts == {"bts": 426 * 560, "eigen": 440 * 592, "raw": 480 * 640}
    assert toolbox(nyu[:1], nyu[:1])[0, n] == 427 * 561

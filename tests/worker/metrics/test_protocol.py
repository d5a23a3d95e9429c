"""Crops, valid range and resize."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from depthboard.config import DataConfig, EvaluationConfig, RunConfig
from depthboard.config.data import CROPPED_FRAME
from depthboard.errors import InvalidInput
from worker.metrics import CROPS, check_crops, scored, valid, window

POSSIBLE = (
    [("none", crop) for crop in CROPS] + [(crop, crop) for crop in CROPS if crop != "none"] + [("toolbox", "bts")]
)


def ramp(rows: int, columns: int) -> torch.Tensor:
    """(1,1,rows,columns), 1 m at the left edge and 9 m at the right one, at pixel centres."""
    centres = (torch.arange(columns, dtype=torch.float32) + 0.5) / columns
    return (1 + 8 * centres).expand(1, 1, rows, columns).clone()


def test_the_toolbox_window_is_matlab_s_rows_45_to_471_and_columns_41_to_601() -> None:
    frame = np.arange(480 * 640).reshape(480, 640)
    top, bottom, left, right = window("toolbox", CROPPED_FRAME)
    np.testing.assert_array_equal(frame[top:bottom, left:right], frame[np.ix_(range(45 - 1, 471), range(41 - 1, 601))])
    assert window("toolbox", CROPPED_FRAME).size == (427, 561)


def test_the_window_of_bts_reads_matlab_s_numbers_as_python_slices() -> None:
    frame = torch.arange(480 * 640).reshape(480, 640)
    assert torch.equal(window("bts", CROPPED_FRAME).of(frame), frame[45:471, 41:601])
    assert window("bts", CROPPED_FRAME).size == (426, 560)


def test_the_eigen_window_is_440_by_592() -> None:
    assert window("eigen", CROPPED_FRAME) == (20, 460, 24, 616)
    assert window("eigen", CROPPED_FRAME).size == (440, 592)


@pytest.mark.parametrize("crop", ["toolbox", "bts", "eigen"])
def test_a_named_crop_is_refused_for_frames_that_are_not_nyu_s(crop: str) -> None:
    with pytest.raises(InvalidInput, match=r"480×640 .* but these are 432×645") as caught:
        window(crop, (432, 645))
    assert caught.value.remedy == "Use the crop 'none' with this dataset."


@pytest.mark.parametrize(("data", "evaluation"), list(itertools.product(CROPS, CROPS)))
def test_what_the_network_does_not_see_cannot_be_scored(data: str, evaluation: str) -> None:
    if (data, evaluation) in POSSIBLE:
        check_crops(data, evaluation, CROPPED_FRAME)
        return
    with pytest.raises(InvalidInput, match="the network sees only") as caught:
        check_crops(data, evaluation, CROPPED_FRAME)
    assert caught.value.field == "evaluation.crop"


@pytest.mark.parametrize(("data", "evaluation"), list(itertools.product(CROPS, CROPS)))
def test_a_configuration_is_accepted_exactly_where_its_windows_can_be_scored(data: str, evaluation: str) -> None:
    tree = {"data": {"crop": data}, "evaluation": {"crop": evaluation}}
    if (data, evaluation) in POSSIBLE:
        assert RunConfig.model_validate(tree).evaluation.crop == evaluation
        return
    with pytest.raises(ValidationError, match="cannot be scored"):
        RunConfig.model_validate(tree)


def test_the_valid_range_excludes_both_ends_and_missing_readings() -> None:
    depths = torch.tensor([0.0, 1e-3, 2e-3, 9.999, 10.0, float("nan"), float("inf"), -1.0])
    assert valid(depths, EvaluationConfig()).tolist() == [False, False, True, True, False, False, False, False]


def test_at_the_network_s_size_the_two_maps_are_compared_as_they_are() -> None:
    pred, target = ramp(64, 96), 2 * torch.ones(1, 1, 64, 96)
    pair = scored(pred, target, evaluation=EvaluationConfig(), data=DataConfig(), frame=(432, 645))
    assert torch.equal(pair.pred, pred)
    assert torch.equal(pair.target, target)
    assert pair.mask.all()


def test_at_the_network_s_size_a_crop_keeps_the_pixels_whose_centres_lie_in_its_window() -> None:
    """480×640 squeezed to 96×128 is 5 to 1: centres at 2.5, 7.5 … The toolbox's rows 44..471 hold 47.5..467.5, columns 40..601 42.5..597.5."""
    data, evaluation = DataConfig(height=96, width=128), EvaluationConfig(crop="toolbox")
    maps = torch.ones(1, 1, 96, 128)
    mask = scored(maps, maps, evaluation=evaluation, data=data, frame=CROPPED_FRAME).mask[0, 0]
    expected = torch.zeros(96, 128, dtype=torch.bool)
    expected[9:94, 8:120] = True
    assert torch.equal(mask, expected)


def test_at_the_network_s_size_the_input_s_own_window_is_scored_entirely() -> None:
    data, evaluation = DataConfig(crop="eigen"), EvaluationConfig(crop="eigen")
    maps = torch.ones(1, 1, 64, 96)
    assert scored(maps, maps, evaluation=evaluation, data=data, frame=CROPPED_FRAME).mask.all()


@pytest.mark.parametrize(("data_crop", "evaluation_crop"), POSSIBLE)
def test_at_native_size_the_prediction_lands_where_its_window_was(data_crop: str, evaluation_crop: str) -> None:
    """The network predicts its squeezed input exactly; stretched back it must meet the ground truth, but for the rim that bilinear clamps."""
    target = ramp(*CROPPED_FRAME)
    data = DataConfig(crop=data_crop, height=64, width=96)
    seen = window(data_crop, CROPPED_FRAME).of(target)
    pred = torch.nn.functional.interpolate(seen, size=(64, 96), mode="bilinear", align_corners=False)
    evaluation = EvaluationConfig(crop=evaluation_crop, resize="native")
    pair = scored(pred, target, evaluation=evaluation, data=data, frame=CROPPED_FRAME)
    assert tuple(pair.pred.shape[-2:]) == tuple(pair.target.shape[-2:]) == window(evaluation_crop, CROPPED_FRAME).size
    inner = slice(8, -8)
    torch.testing.assert_close(pair.pred[..., inner], pair.target[..., inner], atol=2e-3, rtol=0)


def test_at_native_size_the_ground_truth_must_be_the_whole_frame() -> None:
    with pytest.raises(InvalidInput, match=r"must be 480×640 .* but it is 427×561"):
        scored(
            torch.ones(1, 1, 64, 96),
            torch.ones(1, 1, 427, 561),
            evaluation=EvaluationConfig(crop="toolbox", resize="native"),
            data=DataConfig(crop="toolbox"),
            frame=CROPPED_FRAME,
        )


def test_at_the_network_s_size_a_target_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'network' the ground truth must be 64×96"):
        scored(
            torch.ones(1, 1, 64, 96),
            torch.ones(1, 1, 480, 640),
            evaluation=EvaluationConfig(),
            data=DataConfig(),
            frame=CROPPED_FRAME,
        )
